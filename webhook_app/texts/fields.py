"""Names of the well-known fields, their values and the rungs of the ladders, as partners read them."""

from __future__ import annotations

from collections.abc import Iterable

from config.workspace import Language
from webhook_app.texts.text import say, table

FIELDS = table(
    {
        "deal": ("Deal", "商談", "딜"),
        "account": ("Account", "取引先", "거래처"),
        "contacts": ("Contacts", "担当者", "담당자"),
        "products": ("Products", "製品", "제품"),
        "deal.name": ("Deal", "商談名", "딜 이름"),
        "deal.stage": ("Stage", "フェーズ", "단계"),
        "deal.amount": ("Amount", "金額", "금액"),
        "deal.close": ("Closing", "完了予定", "마감 예정"),
        "deal.region": ("Region", "地域", "지역"),
        "deal.size": ("Size", "規模", "규모"),
        "deal.type": ("Type", "種別", "유형"),
        "deal.next_step": ("Next step", "次のステップ", "다음 단계"),
        "deal.description": ("Description", "説明", "설명"),
        "deal.probability": ("Probability", "確度", "확률"),
        "deal.product": ("Product", "製品", "제품"),
        "deal.currency": ("Currency", "通貨", "통화"),
        "deal.margin": ("Margin", "粗利", "마진"),
        "deal.message": ("Message", "メッセージ", "메시지"),
        "deal.registration": ("Registration", "商談登録", "딜 등록"),
        "account.name": ("Account name", "取引先名", "거래처명"),
        "account.industry": ("Industry", "業種", "업종"),
        "account.country": ("Country", "国", "국가"),
        "account.city": ("City", "市区町村", "도시"),
        "account.website": ("Website", "ウェブサイト", "웹사이트"),
        "account.phone": ("Phone", "電話", "전화"),
        "account.size": ("Employees", "従業員数", "직원 수"),
        "contacts[].name": ("Name", "氏名", "이름"),
        "contacts[].title": ("Title", "役職", "직함"),
        "contacts[].email": ("E-mail", "メール", "이메일"),
        "contacts[].phone": ("Phone", "電話", "전화"),
        "contacts[].role": ("Role", "役割", "역할"),
        "contacts.length": ("Number of contacts", "担当者数", "담당자 수"),
        "partner.type": ("Type", "種別", "유형"),
        "partner.tier": ("Tier", "ランク", "등급"),
        "partner.agreement": ("Agreement", "契約", "계약"),
        "partner.nda": ("NDA", "NDA", "NDA"),
        "partner.language": ("Language", "言語", "언어"),
        "partner.region": ("Region", "地域", "지역"),
        "state": ("Status", "状態", "상태"),
        "involvement": ("Your part", "関わり方", "참여 방식"),
        "changed_at": ("Updated", "更新", "업데이트"),
    }
)

VALUES = table(
    {
        "state:pending": ("Invitation", "招待中", "초대 중"),
        "state:accepted": ("Accepted", "受諾済み", "수락"),
        "state:declined": ("Declined", "辞退", "거절"),
        "state:expired": ("Expired", "期限切れ", "만료"),
        "involvement:sourced": ("Introduced by you", "ご紹介", "소개"),
        "involvement:influenced": ("Influenced by you", "側面支援", "지원"),
        "involvement:co-sell": ("Selling together", "共同販売", "공동 판매"),
        "involvement:resell": ("Resale", "再販", "재판매"),
        "deal.stage:prospecting": ("Prospecting", "見込み", "발굴"),
        "deal.stage:qualification": ("Qualification", "案件化", "검증"),
        "deal.stage:proposal": ("Proposal", "提案", "제안"),
        "deal.stage:negotiation": ("Negotiation", "交渉", "협상"),
        "deal.stage:won": ("Won", "受注", "수주"),
        "deal.stage:lost": ("Lost", "失注", "실주"),
        "deal.stage:other": ("Other", "その他", "기타"),
        "deal.region:japan": ("Japan", "日本", "일본"),
        "deal.region:korea": ("Korea", "韓国", "한국"),
        "deal.region:apac": ("Asia-Pacific", "アジア太平洋", "아시아 태평양"),
        "deal.region:emea": ("Europe, Middle East, Africa", "欧州・中東・アフリカ", "유럽·중동·아프리카"),
        "deal.size:large": ("Large", "大型", "대형"),
        "deal.size:normal": ("Normal", "通常", "일반"),
        "boolean:true": ("Yes", "はい", "예"),
        "boolean:false": ("No", "いいえ", "아니요"),
    }
)

RUNGS = table(
    {
        "band": ("shown as a band", "金額帯で表示", "금액대로 표시"),
        "year": ("shown by fiscal year", "年度で表示", "회계연도로 표시"),
        "quarter": ("shown by quarter", "四半期で表示", "분기로 표시"),
        "month": ("shown by month", "月で表示", "월로 표시"),
        "pseudonym": ("shown under a pseudonym", "仮名で表示", "가명으로 표시"),
        "initials": ("shown by initials", "頭文字で表示", "머리글자로 표시"),
        "domain": ("shown by domain", "ドメインのみ表示", "도메인만 표시"),
        "redacted": ("shown with parts left out", "一部を伏せて表示", "일부를 가리고 표시"),
    }
)

KINDS = table(
    {
        "login": ("Signed in", "サインイン", "로그인"),
        "document.opened": ("Opened a document", "資料の閲覧", "자료 열람"),
        "video.played": ("Played a video", "動画の視聴", "동영상 시청"),
        "training.enrolled": ("Enrolled in a training", "研修の申し込み", "교육 신청"),
        "training.completed": ("Finished a training", "研修の修了", "교육 수료"),
        "tool.used": ("Used a tool", "ツールの利用", "도구 사용"),
        "deal.accepted": ("Accepted a deal", "商談の受諾", "딜 수락"),
        "deal.declined": ("Declined a deal", "商談の辞退", "딜 거절"),
        "comment": ("Commented", "コメント", "댓글"),
        "inquiry": ("Asked a question", "質問", "문의"),
    }
)


def label(language: Language, field: str) -> str:
    """A field's name for people: from the table, else made from the name itself (`deal.go_live` -> Go live)."""
    if field in FIELDS:
        return say(FIELDS, language, field)
    return field.rpartition(".")[2].replace("_", " ").strip().capitalize()


def in_reading_order(fields: Iterable[str]) -> list[str]:
    """Fields as a person reads them: the well-known ones as they stand in the table, then the others by name."""
    known = list(FIELDS)
    return sorted(fields, key=lambda field: (known.index(field) if field in FIELDS else len(known), field))


def value_label(language: Language, field: str, value: str) -> str:
    """A picklist value for people where the table knows it, else as the vendor wrote it."""
    key = f"{field}:{value}"
    return say(VALUES, language, key) if key in VALUES else value


def rung_note(language: Language, rung: str) -> str:
    """What a rung means, in a few quiet words; nothing where the value is exact."""
    return say(RUNGS, language, rung) if rung in RUNGS else ""
