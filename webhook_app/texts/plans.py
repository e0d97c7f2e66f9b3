"""What the console says of plans, approvals and the way back."""

from __future__ import annotations

from webhook_app.texts.text import table

PLANS = table(
    {
        "nav.plans": ("Plans", "変更計画", "변경 계획"),
        "plans.title": ("Plans", "変更計画", "변경 계획"),
        "plans.lead": (
            "What a change of the files would show whom, before it takes effect.",
            "設定を変えると誰に何が見えるようになるかを、適用する前に確かめます。",
            "설정을 바꾸면 누구에게 무엇이 보이게 되는지 적용하기 전에 확인합니다.",
        ),
        "plans.four_eyes_off": (
            "four_eyes is off: one person alone can let partners see more.",
            "four_eyesがオフのため、一人だけでパートナーへの表示範囲を広げられます。",
            "four_eyes가 꺼져 있어 한 사람만으로 파트너에게 보이는 범위를 넓힐 수 있습니다.",
        ),
        "plans.bound": (
            "What is in force shows no more than version {version}, until somebody else approves the rest.",
            "残りがほかの方に承認されるまで、第{version}版を超える内容は表示されません。",
            "나머지를 다른 사람이 승인할 때까지 버전 {version}보다 많은 내용은 표시되지 않습니다.",
        ),
        "plans.bound_refused": (
            "The rest of the last change was refused: nothing more than in version {version} is shown. "
            "Put the files right and plan again.",
            "前回の変更の残りは却下されました。第{version}版を超える内容は表示されません。"
            "ファイルを修正し、計画を作り直してください。",
            "지난 변경의 나머지가 반려되었습니다. 버전 {version}보다 많은 내용은 표시되지 않습니다. "
            "파일을 수정하고 계획을 다시 만들어 주세요.",
        ),
        "plans.some_wait": (
            "Plans that wait: {count}",
            "承認・適用待ちの計画: {count}件",
            "승인·적용 대기 중인 계획: {count}건",
        ),
        "plans.files_differ": (
            "Files that differ from what is in force: {names}",
            "適用中の設定と異なるファイル: {names}",
            "적용 중인 설정과 다른 파일: {names}",
        ),
        "plans.why": ("Reason", "理由", "사유"),
        "plans.make": ("Make a plan", "計画を作る", "계획 만들기"),
        "plans.waiting": ("Waiting", "承認・適用待ち", "승인·적용 대기"),
        "plans.none_wait": (
            "No plan waits.",
            "承認・適用待ちの計画はありません。",
            "승인·적용 대기 중인 계획이 없습니다.",
        ),
        "plans.past": ("Decided", "処理済みの計画", "처리된 계획"),
        "plans.plan": ("Plan", "計画", "계획"),
        "plans.state": ("State", "状態", "상태"),
        "plans.by": ("Made by", "作成者", "작성자"),
        "plans.decided_by": ("decided by {name}", "処理: {name}", "처리: {name}"),
        "plans.state.waiting": ("waiting", "待機中", "대기 중"),
        "plans.state.applied": ("in force since then", "適用済み", "적용됨"),
        "plans.state.refused": ("refused", "却下", "반려"),
        "plans.state.overtaken": ("overtaken", "無効", "무효"),
        "plans.made": (
            "Made by {by} over version {version}",
            "{by}が第{version}版をもとに作成",
            "버전 {version} 기준, {by} 작성",
        ),
        "plans.was_refused": ("Refused by {name}: {reason}", "{name}が却下: {reason}", "{name} 반려: {reason}"),
        "plans.was_applied": ("Put in force by {name}", "{name}が適用", "{name} 적용"),
        "plans.was_overtaken": (
            "It is not what would happen any more: another version is in force.",
            "別の版が適用されたため、この計画はもう使えません。",
            "다른 버전이 적용되어 이 계획은 더 이상 쓸 수 없습니다.",
        ),
        "plans.verdict": ("What it takes", "必要な手続き", "필요한 절차"),
        "plans.wider": (
            "It may show partners more:",
            "パートナーに見える範囲が広がる可能性があります:",
            "파트너에게 보이는 범위가 넓어질 수 있습니다:",
        ),
        "plans.first": (
            "The first version: nothing has been read yet, so no second person is needed.",
            "最初の版です。まだ何も読み取っていないため、二人目の承認は不要です。",
            "첫 버전입니다. 아직 읽은 것이 없으므로 두 번째 사람의 승인이 필요 없습니다.",
        ),
        "plans.unread_now": (
            "This release can't read the version in force: partners' doors are shut, and so are most pages here. "
            "Plan files that it can read, and have them approved here.",
            "このリリースでは適用中の版を読み込めないため、パートナー向けの画面と、このコンソールの大半の画面を利用できません。"
            "読み込めるファイルで計画を作り、ここで承認してください。",
            "이 릴리스에서 적용 중인 버전을 읽을 수 없어 파트너용 화면과 이 콘솔의 대부분 화면을 사용할 수 없습니다. "
            "읽을 수 있는 파일로 계획을 만들고 여기에서 승인해 주세요.",
        ),
        "plans.narrow": (
            "No partner would see more: one person may put it in force.",
            "表示範囲が広がるパートナーはいません。一人で適用できます。",
            "더 많이 보게 되는 파트너는 없습니다. 한 사람이 적용할 수 있습니다.",
        ),
        "plans.splits": (
            "What narrows is in force as soon as it is applied; what widens waits for a second person.",
            "表示が狭まる部分は適用と同時に有効になります。広がる部分には二人目の承認が必要です。",
            "범위가 좁아지는 부분은 적용 즉시 반영되고, 넓어지는 부분은 두 번째 사람의 승인이 필요합니다.",
        ),
        "plans.narrowed": (
            "What narrows is in force since version {version}; what widens waits for a second person.",
            "表示が狭まる部分は第{version}版から有効です。広がる部分は二人目の承認を待っています。",
            "범위가 좁아지는 부분은 버전 {version}부터 적용 중이고, 넓어지는 부분은 두 번째 사람의 승인을 기다립니다.",
        ),
        "plans.narrowed_only": (
            "What narrows is in force since version {version}; what widens was refused.",
            "表示が狭まる部分は第{version}版から有効です。広がる部分は却下されました。",
            "범위가 좁아지는 부분은 버전 {version}부터 적용 중이고, 넓어지는 부분은 반려되었습니다.",
        ),
        "plans.waits_whole": (
            "Nothing of it is in force until a second person has agreed.",
            "二人目が承認するまで、この変更は一切適用されません。",
            "두 번째 사람이 승인할 때까지 이 변경은 전혀 적용되지 않습니다.",
        ),
        "plans.anew": (
            "Fields may mean something else: deals can't be read until they have been decided anew.",
            "項目の意味が変わる可能性があります。判定し直されるまで、商談は閲覧できません。",
            "항목의 의미가 달라질 수 있어, 다시 판정될 때까지 딜을 볼 수 없습니다.",
        ),
        "plans.situations": ("In which situations", "表示が変わる場合", "표시가 바뀌는 경우"),
        "plans.show_situations": ("Show all {count}", "すべて見る（{count}件）", "모두 보기({count}건)"),
        "plans.field": ("Field", "項目", "항목"),
        "plans.from_to": ("From, to", "変更前 → 変更後", "변경 전 → 변경 후"),
        "plans.when": ("When", "条件", "조건"),
        "plans.always": ("always", "常に", "항상"),
        "plans.and": ("and", "かつ", "그리고"),
        "plans.or": ("or", "または", "또는"),
        "plans.more": ("more", "広がる", "넓어짐"),
        "plans.less": ("less", "狭まる", "좁아짐"),
        "plans.further": ("and in further situations", "ほかの場合にも変わります", "그 밖의 경우도 있습니다"),
        "plans.untold": (
            "It may change: its situations are too many to list.",
            "変わる可能性があります（場合が多く、列挙できません）。",
            "바뀔 수 있습니다(경우가 많아 나열할 수 없음).",
        ),
        "plans.whole": ("The deal itself", "商談そのもの", "딜 자체"),
        "plans.has.hide": ("not shared", "共有なし", "공유 안 함"),
        "plans.has.exact": ("shared", "共有", "공유"),
        "clause.or": (" or ", "・", "·"),
        "clause.but": ("not {values}", "{values} 以外", "{values} 외"),
        "clause.unknown": ("unknown", "不明", "알 수 없음"),
        "clause.empty": ("empty", "空", "비어 있음"),
        "rung.hide": ("hidden", "非表示", "숨김"),
        "rung.redacted": ("redacted", "伏せ字", "가림"),
        "rung.band": ("band", "金額帯", "금액대"),
        "rung.year": ("year", "年度", "회계연도"),
        "rung.quarter": ("quarter", "四半期", "분기"),
        "rung.month": ("month", "月", "월"),
        "rung.pseudonym": ("pseudonym", "仮名", "가명"),
        "rung.initials": ("initials", "頭文字", "머리글자"),
        "rung.domain": ("domain", "ドメイン", "도메인"),
        "rung.exact": ("exact", "そのまま", "그대로"),
        "plans.today": ("On today's data", "現在のデータへの影響", "현재 데이터에 미치는 영향"),
        "plans.people": ("Natural persons newly shown", "新たに表示される個人", "새로 보이는 개인"),
        "plans.gains": ("New shares", "新しい共有", "새 공유"),
        "plans.loses": ("Shares that end", "終了する共有", "종료되는 공유"),
        "plans.nobody": (
            "No partner would see anything else.",
            "見える内容が変わるパートナーはいません。",
            "보이는 내용이 달라지는 파트너는 없습니다.",
        ),
        "plans.opens": ("Show more", "広がる件数", "넓어지는 건수"),
        "plans.closes": ("Show less", "狭まる件数", "좁아지는 건수"),
        "plans.not_held": (
            "not held: no value has been read yet",
            "未保持: 値をまだ読み取っていません",
            "미보유: 아직 값을 읽지 않았습니다",
        ),
        "plans.show_samples": (
            "Show samples ({count})",
            "例を見る（{count}件）",
            "예시 보기({count}건)",
        ),
        "plans.samples": ("Samples", "例", "예시"),
        "plans.no_samples": (
            "Nothing of these deals would change any more.",
            "これらの商談で変わる内容は、もうありません。",
            "이 딜들은 더 이상 바뀌지 않습니다.",
        ),
        "plans.now": ("Now", "現在", "현재"),
        "plans.then": ("Then", "適用後", "적용 후"),
        "plans.nothing": ("not shown", "表示なし", "표시 없음"),
        "plans.bytes": ("The very bytes", "実際のデータ", "실제 데이터"),
        "plans.again": ("Read anew from the CRM", "CRMから読み直すデータ", "CRM에서 다시 읽는 데이터"),
        "plans.calls": (
            "records: {records}; calls: {calls} or more",
            "{records}件、呼び出し{calls}回以上",
            "{records}건, 호출 {calls}회 이상",
        ),
        "plans.files": ("Files", "ファイル", "파일"),
        "plans.rules": ("What changes in them", "ファイルの変更点", "파일의 변경 내용"),
        "plans.decide": ("Decide", "承認または却下", "승인 또는 반려"),
        "plans.approve": ("Approve and put in force", "承認して適用", "승인하고 적용"),
        "plans.apply": ("Put in force", "適用", "적용"),
        "plans.reason": ("Reason for refusing", "却下の理由", "반려 사유"),
        "plans.refuse": ("Refuse", "却下", "반려"),
        "plans.not.own": (
            "You made this plan: somebody else has to approve it.",
            "ご自身が作成した計画です。ほかの方の承認が必要です。",
            "본인이 만든 계획입니다. 다른 사람의 승인이 필요합니다.",
        ),
        "plans.not.role": (
            "Admins and approvers decide about plans.",
            "計画の承認と却下は、管理者と承認者が行います。",
            "계획의 승인과 반려는 관리자와 승인자가 합니다.",
        ),
        "plans.not.unnamed": (
            "Only an admin or approver whom sudare.yaml names may approve this.",
            "承認できるのは、sudare.yamlに記載された管理者または承認者だけです。",
            "sudare.yaml에 기재된 관리자나 승인자만 승인할 수 있습니다.",
        ),
        "plans.not.unknown": (
            "{by} is an account of the machine, and nobody whom sudare.yaml names. "
            "One of you takes the plan on, and somebody else approves it.",
            "{by}はサーバー上のアカウントで、sudare.yamlに記載された担当者ではありません。"
            "まず一人がこの計画を引き受け、別の担当者が承認してください。",
            "{by}은(는) 서버의 계정이며 sudare.yaml에 기재된 담당자가 아닙니다. "
            "먼저 한 사람이 이 계획을 맡고, 다른 담당자가 승인해 주세요.",
        ),
        "plans.take_on": ("Take it on as mine", "自分の計画として引き受ける", "내 계획으로 맡기"),
        "plans.taken_on": (
            "Planned at the machine by {account}, and taken on by {by}",
            "サーバー上の{account}が作成し、{by}が引き受けた計画です",
            "서버의 {account}이(가) 만들고 {by}이(가) 맡은 계획입니다",
        ),
        "plans.failed": ("It could not be done", "実行できませんでした", "실행하지 못했습니다"),
        "plans.failed.files": (
            "The files can't be used. `sudare check` on the server says what to mend, as far as it isn't told here.",
            "ファイルに問題があります。下に示す箇所のほか、サーバーの`sudare check`でも確認できます。",
            "파일에 문제가 있습니다. 아래 내용 외에 서버의 `sudare check`로도 확인할 수 있습니다.",
        ),
        "plans.failed.overtaken": (
            "The plan is not what would happen any more: make a new one.",
            "計画の内容が現状と合わなくなりました。計画を作り直してください。",
            "계획이 현재 상태와 맞지 않습니다. 계획을 다시 만들어 주세요.",
        ),
        "plans.failed.version": (
            "This version's files can't be used any more.",
            "この版のファイルは、もう使えません。",
            "이 버전의 파일은 더 이상 쓸 수 없습니다.",
        ),
        "wider.unread": (
            "this release can't read the version in force, so nothing can be compared{about}",
            "このリリースでは適用中の版を読み込めず、比較できない{about}",
            "이 릴리스에서 적용 중인 버전을 읽을 수 없어 비교할 수 없음{about}",
        ),
        "wider.four_eyes": (
            "four_eyes is switched off: one person alone could let partners see more{about}",
            "four_eyesをオフにする（一人だけで範囲を広げられるようになる）{about}",
            "four_eyes를 끔(한 사람만으로 범위를 넓힐 수 있게 됨){about}",
        ),
        "wider.approver": (
            "{about} could newly approve",
            "{about}が新たに承認できるようになる",
            "{about} 님이 새로 승인할 수 있게 됨",
        ),
        "wider.approver gone": (
            "{about} could approve no more",
            "{about}が承認できなくなる",
            "{about} 님이 더 이상 승인할 수 없게 됨",
        ),
        "wider.sign-in": (
            "sign-in links go another way ({about}): whoever is there could come in as somebody else",
            "サインイン用リンクの届け先が変わる（{about}）。そこにいる人が他人として入れる可能性",
            "로그인 링크가 가는 곳이 바뀜({about}). 그곳에 있는 사람이 다른 사람으로 들어올 수 있음",
        ),
        "wider.console": (
            "{about} could newly open the console, where nothing is hidden",
            "{about}が新たにコンソール（何も伏せられていない）を開けるようになる",
            "{about} 님이 새로 콘솔(아무것도 가려지지 않음)을 열 수 있게 됨",
        ),
        "wider.document": (
            "document {about} may open for more partners",
            "資料{about}を開けるパートナーが増える可能性",
            "자료 {about}을(를) 열 수 있는 파트너가 늘 수 있음",
        ),
        "wider.source": (
            "source {about} may newly speak for partners, and accept deals for them",
            "送信元{about}が新たにパートナーに代わって記録を送り、商談を受諾できるようになる",
            "출처 {about}이(가) 새로 파트너를 대신해 딜을 수락할 수 있게 됨",
        ),
        "wider.ledger": (
            "the disclosure ledger is kept for {about} years only: older months go for good",
            "提供台帳の保存期間が{about}年に短くなり、それより古い月の記録は完全に削除される",
            "제공 대장의 보존 기간이 {about}년으로 줄어, 그보다 오래된 달의 기록은 완전히 삭제됨",
        ),
        "wider.days": (
            "days and quarters are others: dates may be shown otherwise{about}",
            "日付と四半期の数え方が変わる{about}",
            "날짜와 분기 기준이 바뀜{about}",
        ),
        "wider.mapping": (
            "{about}: what is read from the CRM, or who is a partner on a deal, may be another",
            "{about}: CRMから読む内容、または商談のパートナーが変わる可能性",
            "{about}: CRM에서 읽는 내용이나 딜의 파트너가 달라질 수 있음",
        ),
        "wider.connections": (
            "other connections: {about}",
            "接続が変わる: {about}",
            "연결이 바뀜: {about}",
        ),
        "wider.deals": (
            "partners may get deals that they have not{about}",
            "パートナーに新しい商談が共有される可能性{about}",
            "파트너에게 새 딜이 공유될 수 있음{about}",
        ),
        "wider.fields": (
            "partners may see more of {about}",
            "次の項目がより詳しく見える可能性: {about}",
            "다음 항목이 더 자세히 보일 수 있음: {about}",
        ),
        "wider.bands": (
            "the bands of {about} tell more",
            "{about}の金額帯が細かくなる",
            "{about}의 금액대가 더 세밀해짐",
        ),
        "wider.ladder": (
            "{about} has another ladder",
            "{about}の見せ方の段階が変わる",
            "{about}의 표시 단계가 바뀜",
        ),
        "wider.text": (
            "less is masked in {about}, or nobody has to approve it any more",
            "{about}の伏せ字が減る、または承認が不要になる",
            "{about}의 가림이 줄거나 승인이 필요 없어짐",
        ),
        "wider.expr": ("{about} is computed otherwise", "{about}の計算方法が変わる", "{about}의 계산 방법이 바뀜"),
        "wider.list": (
            "other columns sort and filter lists{about}",
            "一覧の並べ替えと絞り込みの項目が変わる{about}",
            "목록의 정렬·필터 항목이 바뀜{about}",
        ),
        "wider.existing_deals": (
            "deals of a first load start otherwise{about}",
            "初回読み取りの商談の初期状態が変わる{about}",
            "첫 읽기의 딜 시작 상태가 바뀜{about}",
        ),
        "wider.expires_after_days": (
            "invitations stay open longer{about}",
            "招待の有効期間が延びる{about}",
            "초대 유효 기간이 길어짐{about}",
        ),
        "wider.calendar": (
            "days and quarters are others{about}",
            "日付と四半期の数え方が変わる{about}",
            "날짜와 분기 기준이 바뀜{about}",
        ),
        "versions.lead": (
            "Each version tells who made it, who agreed, and why. From a version's page an admin plans the way back.",
            "各版の作成者、承認者、理由を確認できます。版のページから、管理者がその版へ戻す計画を作れます。",
            "버전마다 작성자, 승인자, 사유를 보여 줍니다. "
            "버전 페이지에서 관리자가 그 버전으로 되돌리는 계획을 만듭니다.",
        ),
        "versions.agreed": ("agreed: {name}", "承認: {name}", "승인: {name}"),
        "versions.bound": (
            "shows no more than version {version}",
            "第{version}版を超える内容は表示しない",
            "버전 {version}보다 많은 내용은 표시하지 않음",
        ),
        "versions.lines": ("What it changed", "この版での変更", "이 버전의 변경 내용"),
        "versions.no_lines": ("It is the first one.", "最初の版です。", "첫 버전입니다."),
        "versions.back": ("Go back to this version", "この版に戻す", "이 버전으로 되돌리기"),
        "versions.back_text": (
            "That is a plan like any other: what shows partners more than now waits for a second person. "
            "The files on the server stay as they are.",
            "通常の変更と同じ計画になります。今より広がる部分には二人目の承認が必要です。"
            "サーバーのファイルは変わりません。",
            "다른 변경과 같은 계획이 됩니다. 지금보다 넓어지는 부분은 두 번째 사람의 승인이 필요합니다. "
            "서버의 파일은 그대로입니다.",
        ),
        "versions.plan_back": (
            "Plan the way back to version {version}",
            "第{version}版へ戻す計画を作る",
            "버전 {version}(으)로 되돌리는 계획 만들기",
        ),
        "versions.admins": (
            "An admin can plan the way back.",
            "戻す計画は管理者が作れます。",
            "되돌리는 계획은 관리자가 만들 수 있습니다.",
        ),
    }
)
