"""What the partner portal says."""

from __future__ import annotations

from webhook_app.texts.text import table

PARTNER = table(
    {
        "portal": ("Partner portal", "パートナーポータル", "파트너 포털"),
        "nav.deals": ("Deals", "商談", "딜"),
        "nav.documents": ("Documents", "資料", "자료"),
        "nav.log": ("Support log", "支援ログ", "지원 로그"),
        "nav.keys": ("API", "API", "API"),
        # -- the list --
        "deals.title": ("Deals", "商談", "딜"),
        "deals.search": ("Search", "検索", "검색"),
        "deals.any": ("All", "すべて", "전체"),
        "deals.apply": ("Show", "表示", "보기"),
        "deals.clear": ("Clear", "条件を消す", "조건 지우기"),
        "deals.sort": ("Sort by {field}", "{field}で並べ替え", "{field} 순으로 정렬"),
        "deals.next": ("Next", "次へ", "다음"),
        "deals.first": ("First page", "最初のページ", "첫 페이지"),
        "deals.unnamed": ("Deal without a name", "名称のない商談", "이름 없는 딜"),
        "deals.none": (
            "No deals are shared with you yet",
            "共有されている商談はまだありません",
            "아직 공유된 딜이 없습니다",
        ),
        "deals.none_text": (
            "As soon as {vendor} puts you on a deal, it appears here by itself.",
            "{vendor}が商談を共有すると、ここに自動で表示されます。",
            "{vendor}에서 딜을 공유하면 여기에 자동으로 나타납니다.",
        ),
        "deals.no_match": ("No deal fits these conditions", "条件に合う商談はありません", "조건에 맞는 딜이 없습니다"),
        "deals.no_match_text": (
            "Take a condition away, or search for fewer words.",
            "条件を減らすか、短い言葉で検索してください。",
            "조건을 줄이거나 더 짧은 단어로 검색하세요.",
        ),
        "invitations.title": ("Waiting for your answer", "ご回答をお待ちしています", "답변을 기다리고 있습니다"),
        "invitations.all": ("All invitations", "すべてのご招待", "모든 초대"),
        # -- a deal --
        "deal.material": ("Material for this deal", "この商談の資料", "이 딜의 자료"),
        "deal.back": ("All deals", "商談一覧", "딜 목록"),
        "deal.invited": (
            "{vendor} invites you to this deal",
            "{vendor}からこの商談へのご招待です",
            "{vendor}에서 이 딜에 초대했습니다",
        ),
        "deal.invited_text": (
            "What you see now is enough to decide. Some details open up once you accept.",
            "ご判断に必要な内容を表示しています。受諾後にご覧いただける項目もあります。",
            "결정에 필요한 내용입니다. 수락하면 더 볼 수 있는 항목이 있습니다.",
        ),
        "deal.accept": ("Accept", "受諾する", "수락"),
        "deal.decline": ("Decline", "辞退する", "거절"),
        "deal.why": ("Reason (optional)", "理由（任意）", "사유(선택)"),
        "deal.accepted": ("You have accepted this deal.", "この商談を受諾しました。", "이 딜을 수락했습니다."),
        "deal.declined": (
            "You have declined this deal. Ask a question below if you would like to join after all.",
            "この商談を辞退しました。あらためてご希望の場合は下の欄からお問い合わせください。",
            "이 딜을 거절했습니다. 다시 참여를 원하시면 아래에서 문의하세요.",
        ),
        "deal.give_back": ("Give this deal back", "この商談を返上する", "이 딜 반납하기"),
        "deal.give_back_text": (
            "If you can't go on with this deal, say why: {vendor} reads it on the deal's record. "
            "You may see less of the deal then, and only {vendor} can offer it again.",
            "この商談を続けられない場合は、理由をお知らせください。理由は{vendor}の商談記録に残ります。"
            "返上後は表示される項目が減ることがあり、再度のご招待は{vendor}からのみ行えます。",
            "이 딜을 계속하기 어려우면 사유를 알려 주세요. 사유는 {vendor}의 딜 기록에 남습니다. "
            "반납 후에는 볼 수 있는 항목이 줄어들 수 있으며, 다시 초대하는 것은 {vendor}만 할 수 있습니다.",
        ),
        "deal.reason": ("Reason", "理由", "사유"),
        "deal.expired": (
            "The invitation has expired. Ask a question below if you would like to join after all.",
            "ご招待の期限が過ぎました。ご希望の場合は下の欄からお問い合わせください。",
            "초대 기한이 지났습니다. 참여를 원하시면 아래에서 문의하세요.",
        ),
        "deal.updated": ("Updated {at}", "{at} 更新", "{at} 업데이트"),
        "messages.title": ("Messages", "メッセージ", "메시지"),
        "messages.none": (
            "Nothing written yet. What you write here appears on {vendor}'s record of this deal.",
            "まだメッセージはありません。ここに書いた内容は{vendor}の商談記録に残ります。",
            "아직 메시지가 없습니다. 여기에 쓴 내용은 {vendor}의 딜 기록에 남습니다.",
        ),
        "messages.text": ("New message", "新しいメッセージ", "새 메시지"),
        "messages.kind": ("This is", "種類", "종류"),
        "messages.comment": ("a comment", "コメント", "댓글"),
        "messages.inquiry": ("a question", "質問", "문의"),
        "messages.send": ("Send", "送信", "보내기"),
        "messages.sent": ("Sent.", "送信しました。", "보냈습니다."),
        "messages.empty": ("Write something first.", "内容をご記入ください。", "내용을 입력하세요."),
        "messages.too_long": (
            "At most 4,000 characters, please.",
            "4,000文字以内でご記入ください。",
            "4,000자 이내로 입력하세요.",
        ),
        # -- documents --
        "documents.title": ("Documents", "資料", "자료"),
        "documents.document": ("Document", "資料名", "자료명"),
        "documents.language": ("Language", "言語", "언어"),
        "documents.pages": ("Pages", "ページ数", "페이지 수"),
        "documents.none": (
            "No documents for you yet",
            "ご覧いただける資料はまだありません",
            "아직 볼 수 있는 자료가 없습니다",
        ),
        "documents.none_text": (
            "Price lists and guides that {vendor} opens to you appear here.",
            "{vendor}が公開する価格表やガイドがここに表示されます。",
            "{vendor}에서 공개하는 가격표와 가이드가 여기에 나타납니다.",
        ),
        "documents.page": ("Page {page} of {pages}", "{page} / {pages} ページ", "{page} / {pages} 페이지"),
        "documents.previous": ("Previous page", "前のページ", "이전 페이지"),
        "documents.next": ("Next page", "次のページ", "다음 페이지"),
        "documents.open": ("Open this page as PDF", "このページをPDFで開く", "이 페이지를 PDF로 열기"),
        "documents.back_to_deal": ("Back to the deal", "商談に戻る", "딜로 돌아가기"),
        "documents.back": ("All documents", "資料一覧", "자료 목록"),
        "documents.told": (
            "Each page you open is noted in your support log, and {vendor} sees it.",
            "開いたページは支援ログに記録され、{vendor}にも表示されます。",
            "열어 본 페이지는 지원 로그에 기록되며 {vendor}에도 표시됩니다.",
        ),
        # -- what we see of you --
        "log.title": ("What we see of you", "支援ログ", "지원 로그"),
        "log.lead": (
            "All that {vendor} knows of what {partner} did here. Nothing else is recorded.",
            "{partner}の活動のうち、{vendor}に記録されている内容のすべてです。これ以外は記録していません。",
            "{partner}의 활동 중 {vendor}에 기록된 전부입니다. 이 외에는 기록하지 않습니다.",
        ),
        "log.when": ("When", "日時", "일시"),
        "log.who": ("Who", "利用者", "사용자"),
        "log.what": ("What", "内容", "내용"),
        "log.about": ("About", "対象", "대상"),
        "log.none": ("Nothing recorded yet", "記録はまだありません", "아직 기록이 없습니다"),
        "log.none_text": (
            "Signing in, opening documents, accepting deals and writing comments appear here.",
            "サインイン、資料の閲覧、商談の受諾、コメントなどがここに表示されます。",
            "로그인, 자료 열람, 딜 수락, 댓글 등이 여기에 나타납니다.",
        ),
        "log.page": ("page {page}", "{page}ページ", "{page}페이지"),
        "log.older": ("More", "続き", "더 보기"),
        # -- keys --
        "keys.title": ("API keys", "APIキー", "API 키"),
        "keys.lead": (
            "With a key your own systems read the same deals that you see here, and tell us what you did.",
            "キーを使うと、ここに表示されている商談を御社のシステムから読み取り、活動を送ることができます。",
            "키를 쓰면 여기에 보이는 딜을 귀사 시스템에서 읽고 활동을 보낼 수 있습니다.",
        ),
        "keys.reference": ("API reference", "APIリファレンス", "API 문서"),
        "keys.label": ("What is it for?", "用途", "용도"),
        "keys.make": ("Make a key", "キーを作る", "키 만들기"),
        "keys.new": ("Your new key", "新しいキー", "새 키"),
        "keys.once": (
            "Copy it now; it is shown this once only. Keep it like a password.",
            "今すぐ控えてください。この一度だけ表示されます。パスワードと同じように保管してください。",
            "지금 복사하세요. 이번 한 번만 표시됩니다. 비밀번호처럼 보관하세요.",
        ),
        "keys.begins": ("Begins with", "先頭の文字", "앞부분"),
        "keys.created": ("Made", "作成", "만든 날"),
        "keys.used": ("Last used", "最終利用", "마지막 사용"),
        "keys.never": ("never", "未使用", "사용 안 함"),
        "keys.end": ("End", "無効にする", "폐기"),
        "keys.end_which": ("End key {hint}", "キー {hint} を無効にする", "키 {hint} 폐기"),
        "keys.ended": ("The key has been ended.", "キーを無効にしました。", "키를 폐기했습니다."),
        "keys.none": ("No keys yet", "キーはまだありません", "아직 키가 없습니다"),
        "keys.none_text": (
            "Make one for each system, so that you can end one without the others.",
            "システムごとに作ると、個別に無効にできます。",
            "시스템마다 만들면 하나씩 따로 폐기할 수 있습니다.",
        ),
        # -- reference --
        "reference.title": ("API reference", "APIリファレンス", "API 문서"),
        "reference.lead": (
            "Send your key as a Bearer token. Times are UTC. Unknown or repeated parameters are refused.",
            "キーは Bearer トークンとして送ってください。時刻はUTCです。未知または重複した条件は受け付けません。",
            "키는 Bearer 토큰으로 보내세요. 시각은 UTC입니다. 알 수 없거나 반복된 매개변수는 거부됩니다.",
        ),
        "reference.machine": ("For machines: OpenAPI 3.1", "機械可読: OpenAPI 3.1", "기계용: OpenAPI 3.1"),
        "reference.address": ("Address", "アドレス", "주소"),
        "reference.meaning": ("What it does", "内容", "설명"),
        "reference.parameters": ("Parameters", "パラメーター", "매개변수"),
    }
)
