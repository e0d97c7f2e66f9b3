"""What the console and the reports say of the disclosure ledger."""

from __future__ import annotations

from webhook_app.texts.text import table

LEDGER = table(
    {
        "nav.ledger": ("Ledger", "提供台帳", "제공 대장"),
        "ledger.title": ("Disclosure ledger", "個人データ提供台帳", "개인정보 제공 대장"),
        "ledger.lead": (
            "Which personal data which partner could see or received, and since when. Values are not kept.",
            "どのパートナーが、いつから、どの個人データを閲覧できたか、受け取ったかの記録です。"
            "値そのものは保存しません。",
            "어느 파트너가 언제부터 어떤 개인정보를 볼 수 있었는지, 받았는지를 기록합니다. 값 자체는 저장하지 "
            "않습니다.",
        ),
        "ledger.person_question": (
            "Who has received anything about this person?",
            "この方の情報を受け取ったのは誰ですか",
            "이 사람의 정보를 누가 받았습니까?",
        ),
        "ledger.person_ask": (
            "Name, e-mail or CRM id",
            "氏名、メールアドレス、またはCRMのID",
            "이름, 이메일 또는 CRM ID",
        ),
        "ledger.person_hint": (
            "As the CRM has it. What you type stands in no address and no log.",
            "CRMの表記どおりに入力してください。入力内容はURLにもログにも残りません。",
            "CRM에 있는 대로 입력하세요. 입력한 내용은 주소나 로그에 남지 않습니다.",
        ),
        "ledger.partner_question": (
            "What has this partner ever received?",
            "このパートナーはこれまでに何を受け取りましたか",
            "이 파트너는 지금까지 무엇을 받았습니까?",
        ),
        "ledger.partner_ask": (
            "Partner: key or exact name",
            "パートナー: キーまたは正確な名称",
            "파트너: 키 또는 정확한 이름",
        ),
        "ledger.ask": ("Answer", "調べる", "조회"),
        "ledger.nobody": (
            "Nobody found in the ledger",
            "台帳に該当する方はいません",
            "대장에 해당하는 사람이 없습니다",
        ),
        "ledger.nobody_text": (
            "Nothing of a person so named has been open to any partner, as far as the ledger is kept. Try another"
            " spelling, the e-mail address or the CRM id before you say so.",
            "台帳の保存期間内に、この方の情報がパートナーに開示された記録はありません。回答する前に、別の表記、"
            "メールアドレス、CRMのIDでもお確かめください。",
            "대장 보존 기간 안에 이 이름의 정보가 파트너에게 공개된 기록은 없습니다. 답변하기 전에 다른 표기, "
            "이메일, CRM ID로도 확인하세요.",
        ),
        "ledger.no_partner": (
            "No partner answers to this, or several do: give its key.",
            "該当するパートナーがないか、複数あります。キーを入力してください。",
            "해당하는 파트너가 없거나 여럿입니다. 키를 입력하세요.",
        ),
        "ledger.several": ("Which person is meant?", "どの方ですか", "어느 분입니까?"),
        "ledger.more_found": (
            "Only the first {count} are shown: type more of the name.",
            "最初の{count}件だけを表示しています。名前をより詳しく入力してください。",
            "처음 {count}건만 표시합니다. 이름을 더 자세히 입력하세요.",
        ),
        "ledger.erased": ("erased on {day}", "{day}に消去済み", "{day} 파기됨"),
        "ledger.erased_text": (
            "The name and all that led to this person are destroyed. The rows stay, under a pseudonym.",
            "氏名と、この方につながる情報は消去されています。記録は仮名のまま残ります。",
            "이름과 이 사람으로 이어지는 정보는 파기되었습니다. 기록은 가명으로 남습니다.",
        ),
        "ledger.partner_lead": (
            "Each line is one person and what of it this partner could see or received.",
            "1行につきお一人分です。このパートナーが閲覧できた項目と、受け取った項目を示します。",
            "한 줄이 한 사람입니다. 이 파트너가 볼 수 있었거나 받은 항목을 보여 줍니다.",
        ),
        "ledger.person_lead": (
            "Each line is one partner and what of this person it could see or received.",
            "1行につきパートナー1社分です。この方について閲覧できた項目と、受け取った項目を示します。",
            "한 줄이 파트너 한 곳입니다. 이 사람에 대해 볼 수 있었거나 받은 항목을 보여 줍니다.",
        ),
        "ledger.none": ("Nothing is recorded", "記録はありません", "기록이 없습니다"),
        "ledger.none_text": (
            "No personal data has been open here, as far as the ledger is kept.",
            "台帳の保存期間内に、開示された個人データはありません。",
            "대장 보존 기간 안에 공개된 개인정보가 없습니다.",
        ),
        "ledger.seen_question": (
            "What did this partner see of this deal, and why?",
            "このパートナーは、この商談の何を、なぜ見ることができましたか",
            "이 파트너는 이 딜에서 무엇을, 왜 볼 수 있었습니까?",
        ),
        "ledger.seen_deal": (
            "Deal: CRM id or exact name",
            "商談: CRMのIDまたは正確な名称",
            "딜: CRM ID 또는 정확한 이름",
        ),
        "ledger.seen_at": ("When (empty: now)", "日時（空欄: 現在）", "일시(비우면 지금)"),
        "ledger.seen_nobody": (
            "No partner or no deal answers to this, or several do: give the partner's key and the deal's CRM id.",
            "該当するパートナーまたは商談がないか、複数あります。パートナーのキーと商談のCRMのIDを入力してください。",
            "해당하는 파트너나 딜이 없거나 여럿입니다. 파트너 키와 딜의 CRM ID를 입력하세요.",
        ),
        "ledger.seen_nothing": (
            "{partner} could see nothing of this deal at {at}.",
            "{at}の時点で、{partner}はこの商談を閲覧できませんでした。",
            "{at} 당시 {partner}은(는) 이 딜을 볼 수 없었습니다.",
        ),
        "closing.paused": (
            "Its doors were closed: paused,",
            "このパートナーの利用は一時停止中でした:",
            "이 파트너의 접속이 일시 중지되어 있었습니다:",
        ),
        "closing.everybody": (
            "The doors of all partners were closed: paused,",
            "すべてのパートナーの利用が一時停止中でした:",
            "모든 파트너의 접속이 일시 중지되어 있었습니다:",
        ),
        "closing.ended": (
            "No CRM named it as a partner,",
            "どのCRMでもパートナーとして登録されていませんでした:",
            "어느 CRM에도 파트너로 등록되어 있지 않았습니다:",
        ),
        "closing.from": ("from {at}", "{at}から", "{at}부터"),
        "closing.until": (" until {at}", " {at}まで", " {at}까지"),
        "ledger.seen_lead": (
            "What {partner} could see of “{deal}” at {at}, by version {version}. Values are not kept.",
            "{at}に{partner}が閲覧できた「{deal}」の項目です（設定の第{version}版）。値は保存していません。",
            "{at} 당시 {partner}이(가) 볼 수 있었던 ‘{deal}’의 항목(버전 {version}). 값은 보관하지 않습니다.",
        ),
        "ledger.seen_from": ("So from {at}", "{at}から", "{at}부터"),
        "ledger.seen_until": ("until {at}", "{at}まで", "{at}까지"),
        "ledger.seen_who": ("Has the deal by", "共有の根拠となるルール", "공유 근거 규칙"),
        "ledger.always": ("always", "常に", "항상"),
        "ledger.seen_rung": ("How sharply", "表示の程度", "표시 수준"),
        "ledger.connection": ("CRM", "CRM", "CRM"),
        "ledger.version": ("Version", "設定の版", "설정 버전"),
        "ledger.versions": ("{first}–{last}", "{first}〜{last}", "{first}~{last}"),
        "ledger.exact": ("as it is", "そのまま表示", "그대로 표시"),
        "ledger.reports": ("Reports", "帳票", "보고서"),
        "ledger.reports_lead": (
            "Records and answers as the laws ask for them. Whether a law asks, and on which legal basis you provide,"
            " is your company's decision: the basis is what your rules name.",
            "法令が求める記録と回答を出力します。法令の適用と提供の法的根拠は貴社の判断です。根拠欄には、"
            "ルールに書かれた値を表示します。",
            "법령이 요구하는 기록과 답변을 출력합니다. 법령 적용 여부와 제공 근거는 귀사가 판단합니다. "
            "근거란에는 규칙에 적힌 값을 표시합니다.",
        ),
        "ledger.about_person": (
            "Reports about one person stand on the person's page.",
            "個人に関する帳票は、その方のページから出力できます。",
            "개인에 관한 보고서는 그 사람의 페이지에 있습니다.",
        ),
        "ledger.from": ("From", "開始日", "시작일"),
        "ledger.until": ("Until", "終了日", "종료일"),
        "ledger.partner_all": ("Partner (empty: all)", "パートナー（空欄: すべて）", "파트너(비우면 전체)"),
        "ledger.show": ("Show, to print", "表示・印刷", "표시·인쇄"),
        "ledger.csv": ("CSV file", "CSVファイル", "CSV 파일"),
        "ledger.wrong": (
            "Give days that the calendar has, as 2026-11-25.",
            "実在する日付を 2026-11-25 の形式で指定してください。",
            "실제 날짜를 2026-11-25 형식으로 지정하세요.",
        ),
        "ledger.too_many": (
            "More than {most} rows: choose a shorter time or one partner, or use `sudare ledger report`.",
            "{most}行を超えます。期間を短くするか、パートナーを一つ選ぶか、`sudare ledger report`をお使いください。",
            "{most}행을 넘습니다. 기간을 줄이거나 파트너를 하나 고르거나 `sudare ledger report`를 사용하세요.",
        ),
        "ledger.made": ("Made on {at}", "作成日時: {at}", "작성 일시: {at}"),
        "ledger.by": ("by {vendor}", "作成者: {vendor}", "작성자: {vendor}"),
        "ledger.period": ("Period: {since} – {until}", "対象期間: {since} 〜 {until}", "대상 기간: {since} ~ {until}"),
        "ledger.beginning": ("the beginning", "記録の開始時", "처음"),
        "ledger.today": ("today", "本日", "오늘"),
        "ledger.part": (
            "This is a part of the record: the CSV file holds all of it.",
            "記録の一部を表示しています。全件はCSVファイルにあります。",
            "기록의 일부만 표시합니다. 전체는 CSV 파일에 있습니다.",
        ),
        "ledger.unknown": ("not known to Sudare", "Sudareでは把握していません", "Sudare가 알 수 없음"),
        # the reports
        "report.appi29": (
            "Provider's record (Japan, APPI Art. 29)",
            "第三者提供に係る記録（個人情報保護法 第29条）",
            "제공자 기록(일본 개인정보보호법 제29조)",
        ),
        "report.appi29_text": (
            "Entrustment and joint use need no such record (Art. 27(5)); repeated provision may stand in one line, from"
            " its first day to its last.",
            "委託・共同利用（第27条第5項）では記録は不要です。継続的・反復的な提供は、"
            "最初の日と最後の日で一括して記録しています。",
            "위탁·공동이용(제27조 제5항)에는 이 기록이 필요 없습니다. 반복 제공은 첫날과 마지막 날로 한 줄에 "
            "기록합니다.",
        ),
        "report.appi30": (
            "Recipient's record (Japan, APPI Art. 30)",
            "第三者提供を受ける際の記録（個人情報保護法 第30条）",
            "수령자 기록(일본 개인정보보호법 제30조)",
        ),
        "report.appi30_text": (
            "Written by the provider for the recipient, {recipient}. What Sudare does not know is for the two companies"
            " to fill in.",
            "提供者が受領者（{recipient}）に代わって作成した記録です。"
            "Sudareが把握していない項目は両社でご記入ください。",
            "제공자가 수령자({recipient})를 대신해 작성한 기록입니다. Sudare가 알 수 없는 항목은 양사가 기재하세요.",
        ),
        "report.appi33": (
            "Record of provision, for the person who asks (Japan, APPI Art. 33(5))",
            "第三者提供記録の開示（個人情報保護法 第33条第5項）",
            "본인이 청구하는 제3자 제공 기록(일본 개인정보보호법 제33조 제5항)",
        ),
        "report.appi33_text": (
            "What the record of Art. 29 says of this person; nobody else stands in it.",
            "第29条の記録のうち、請求されたご本人に関する部分です。他の方の情報は含みません。",
            "제29조 기록 가운데 청구한 본인에 관한 부분입니다. 다른 사람의 정보는 담지 않습니다.",
        ),
        "report.gdpr15": (
            "Recipients of one person's data (GDPR Art. 15(1)(c))",
            "個人データの受領者（GDPR 第15条第1項(c)）",
            "개인정보 수령자(GDPR 제15조 제1항 (c))",
        ),
        "report.gdpr15_text": (
            "The actual recipients, by name, as the Court of Justice asks (C-154/21).",
            "欧州司法裁判所の判断（C-154/21）に沿い、実際の受領者を名称で示します。",
            "유럽사법재판소 판결(C-154/21)에 따라 실제 수령자를 이름으로 표시합니다.",
        ),
        "report.pipa": (
            "Status of provision to third parties (Korea, PIPA)",
            "第三者提供の状況（韓国 個人情報保護法）",
            "개인정보의 제3자 제공 현황(개인정보 보호법)",
        ),
        "report.pipa_text": (
            "What the person may ask to see under Art. 35 and Decree Art. 41(1)4.",
            "同法第35条・施行令第41条第1項第4号により、本人が閲覧を求めることができる事項です。",
            "법 제35조 및 시행령 제41조 제1항 제4호에 따라 정보주체가 열람을 요구할 수 있는 사항입니다.",
        ),
        "column.recipient": ("Recipient", "提供先の名称", "제공받는 자"),
        "column.recipient_address": ("Recipient's address", "提供先の住所", "제공받는 자의 주소"),
        "column.recipient_representative": ("Recipient's representative", "提供先の代表者", "제공받는 자의 대표자"),
        "column.provider": ("Provider", "提供元の名称", "제공자"),
        "column.provider_address": ("Provider's address", "提供元の住所", "제공자의 주소"),
        "column.provider_representative": ("Provider's representative", "提供元の代表者", "제공자의 대표자"),
        "column.acquired": ("How the provider acquired the data", "提供元による取得の経緯", "제공자의 취득 경위"),
        "column.purpose": ("Recipient's purpose of use", "提供先の利用目的", "제공받는 자의 이용 목적"),
        "column.retention": (
            "Recipient's period of retention and use",
            "提供先の保有・利用期間",
            "제공받는 자의 보유 및 이용 기간",
        ),
        "column.person": ("Person", "本人の氏名", "정보주체"),
        "column.items": ("Items of data", "個人データの項目", "개인정보 항목"),
        "column.consent": ("Person's consent", "本人の同意", "정보주체의 동의"),
        "column.basis": ("Legal basis, as the rule names it", "法的根拠（ルールの記載）", "법적 근거(규칙 기재)"),
        "column.first": ("First day", "最初の提供日", "최초 제공일"),
        "column.last": ("Last day", "最後の提供日", "최종 제공일"),
        "column.channels": ("How", "提供の方法", "제공 방법"),
        "article.appi27.1": ("APPI Art. 27(1), 29(1)", "法27条1項・29条1項", "일본법 제27조 제1항·제29조 제1항"),
        "article.appi29.1": (
            "APPI Art. 29(1), Rules Art. 20",
            "法29条1項・規則20条",
            "일본법 제29조 제1항·규칙 제20조",
        ),
        "article.appi29.date": (
            "the date: for opt-out, APPI Art. 27(2), 29(1)",
            "年月日: オプトアウトの場合（法27条2項・29条1項）",
            "연월일: 옵트아웃의 경우(일본법 제27조 제2항·제29조 제1항)",
        ),
        "article.appi29.bulk": (
            "in one line: Rules Art. 19, 23",
            "一括記録: 規則19条・23条",
            "일괄 기록: 규칙 제19조·제23조",
        ),
        "article.appi30.1.1": ("APPI Art. 30(1)(i)", "法30条1項1号", "일본법 제30조 제1항 제1호"),
        "article.appi30.1.2": ("APPI Art. 30(1)(ii)", "法30条1項2号", "일본법 제30조 제1항 제2호"),
        "article.appi30.3": (
            "APPI Art. 30(3), Rules Art. 24",
            "法30条3項・規則24条",
            "일본법 제30조 제3항·규칙 제24조",
        ),
        "article.gdpr15.1c": ("GDPR Art. 15(1)(c)", "GDPR 15条1項(c)", "GDPR 제15조 제1항 (c)"),
        "article.pipa17.2.1": ("PIPA Art. 17(2)1", "韓国法17条2項1号", "법 제17조 제2항 제1호"),
        "article.pipa17.2.2": ("PIPA Art. 17(2)2", "韓国法17条2項2号", "법 제17조 제2항 제2호"),
        "article.pipa17.2.3": ("PIPA Art. 17(2)3", "韓国法17条2項3号", "법 제17조 제2항 제3호"),
        "article.pipa17.2.4": ("PIPA Art. 17(2)4", "韓国法17条2項4号", "법 제17조 제2항 제4호"),
        "basis.consent": ("consent", "本人の同意", "정보주체의 동의"),
        "basis.entrustment": ("entrustment", "委託", "처리위탁"),
        "basis.joint use": ("joint use", "共同利用", "공동이용"),
        "basis.opt-out": ("opt-out", "オプトアウト", "옵트아웃"),
        "basis.contract": ("contract", "契約の履行", "계약 이행"),
        "basis.legitimate interest": ("legitimate interest", "正当な利益", "정당한 이익"),
        "basis.other": ("other", "その他", "기타"),
        "basis.none": ("none is named", "記載なし", "기재 없음"),
        "channel.available": ("could be seen", "閲覧可能", "열람 가능"),
        "channel.page": ("portal", "ポータル", "포털"),
        "channel.api": ("API", "API", "API"),
        "channel.feed": ("feed", "フィード", "피드"),
    }
)
