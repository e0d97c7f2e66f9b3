"""What the console says where a mapping and its CRM no longer agree."""

from __future__ import annotations

from webhook_app.texts.text import table

SCHEMA = table(
    {
        "stream.schema": ("Schema", "項目定義", "스키마"),
        "schema.title": ("Where mapping and CRM differ", "マッピングと CRM の不一致", "매핑과 CRM의 불일치"),
        "schema.lead": (
            "Mend the line of the mapping, or the CRM. What was read before stays as it was; an alarm goes by itself.",
            "マッピングの該当行か CRM を直してください。読み取り済みの値は残り、直ると警告は消えます。",
            "매핑의 해당 줄이나 CRM을 고쳐 주세요. 이미 읽은 값은 남고, 고쳐지면 경고는 사라집니다.",
        ),
        "schema.field": ("In the CRM", "CRM の項目", "CRM 항목"),
        "schema.what": ("What differs", "内容", "내용"),
        "schema.place": ("Line", "該当行", "해당 줄"),
        "schema.since": ("Since", "発生", "시작"),
        "schema.holds": ("no share ends meanwhile", "共有の終了を保留中", "공유 종료 보류 중"),
        "schema.kind.object": ("Object not there", "オブジェクトがない", "개체 없음"),
        "schema.kind.field": ("Field not there", "項目がない", "필드 없음"),
        "schema.kind.type": ("Another type", "型が違う", "유형 다름"),
        "schema.kind.value gone": ("Value not there", "値がない", "값 없음"),
        "schema.kind.value new": ("Value without meaning", "対応のない値", "대응 없는 값"),
    }
)
