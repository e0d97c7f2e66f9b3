"""What the console's policy page says."""

from __future__ import annotations

from webhook_app.texts.text import table

POLICY = table(
    {
        "nav.policy": ("Policy", "公開範囲", "공개 범위"),
        "policy.title": ("Policy", "公開範囲", "공개 범위"),
        "policy.lead": (
            "How sharply each field is shown, by partner and share. Choose a cell to see why.",
            "項目ごとに、どんなパートナーへどこまで見せるかの一覧です。マスを選ぶと理由が見られます。",
            "항목마다 어떤 파트너에게 어디까지 보이는지 나타냅니다. 칸을 선택하면 이유를 볼 수 있습니다.",
        ),
        "policy.in_force": ("Policy in force", "適用中の公開範囲", "적용 중인 공개 범위"),
        "policy.may_see": ("What it may see", "このパートナーへの公開範囲", "이 파트너의 공개 범위"),
        "policy.plans": ("Plans", "変更計画", "변경 계획"),
        "policy.has": (
            "A partner that is on a deal has it when:",
            "商談を担当するパートナーに、その商談が見える条件:",
            "딜을 담당하는 파트너에게 그 딜이 보이는 조건:",
        ),
        "policy.nobody": (
            "No partner has any deal: no rule under `who:` can hold.",
            "どのパートナーにも商談は見えません。`who:` のルールがどれも成り立ちません。",
            "어느 파트너에게도 딜이 보이지 않습니다. `who:` 규칙이 하나도 성립하지 않습니다.",
        ),
        "policy.class": ("Class", "分類", "분류"),
        "policy.every_class": ("all", "すべて", "전체"),
        "policy.partner": ("A partner like", "このパートナーの場合", "이 파트너라면"),
        "policy.every_partner": ("any", "すべて", "전체"),
        "policy.apart": ("Columns tell apart:", "列を分ける条件:", "열을 나누는 조건:"),
        "policy.apart.on": ("{name}, leave open", "{name} で分けない", "{name}(으)로 나누지 않기"),
        "policy.apart.off": ("{name}, tell apart", "{name} で分ける", "{name}(으)로 나누기"),
        "policy.too_many": (
            "Told apart by everything there would be more than {most} columns. What is left open is shown as several "
            "values in a cell.",
            "すべての条件で分けると{most}列を超えます。分けていない条件で変わるマスには、複数の値を並べています。",
            "모든 조건으로 나누면 {most}열을 넘습니다. 나누지 않은 조건에 따라 달라지는 칸에는 여러 값을 적었습니다.",
        ),
        "policy.stands": (
            "{name} stands in these columns. The state of a deal decides which.",
            "{name}に当てはまる列です。どの列になるかは商談の状態で決まります。",
            "{name}에 해당하는 열입니다. 어느 열인지는 딜의 상태에 따라 정해집니다.",
        ),
        "policy.stands_in_one": (
            "{name} stands in this column.",
            "{name}に当てはまる列です。",
            "{name}에 해당하는 열입니다.",
        ),
        "policy.stands_nowhere": (
            "{name} has no deal under the policy in force.",
            "適用中の設定では、{name}に商談は見えません。",
            "적용 중인 설정에서는 {name}에게 딜이 보이지 않습니다.",
        ),
        "policy.view_as": ("View as {name}", "{name}として見る", "{name}(으)로 보기"),
        "policy.table": ("Fields and situations", "項目と条件", "항목과 조건"),
        "policy.always": ("every partner", "すべてのパートナー", "모든 파트너"),
        "policy.never": ("never shared", "共有禁止", "공유 금지"),
        "policy.no_class": ("counts rows", "件数", "건수"),
        "policy.untold": ("too many cases", "条件が多すぎます", "조건이 너무 많음"),
        "policy.no_fields": (
            "No field carries this class.",
            "この分類の項目はありません。",
            "이 분류의 항목이 없습니다.",
        ),
        "policy.legend": ("How a cell looks:", "マスの見方:", "칸 보는 법:"),
        "policy.look.none": ("hidden", "非表示", "숨김"),
        "policy.look.part": ("in part", "一部", "일부"),
        "policy.look.full": ("as it is", "そのまま", "그대로"),
        "policy.look.open": ("depends on the deal", "商談による", "딜에 따라 다름"),
        "policy.cell": ("{field}: why", "{field}の理由", "{field}의 이유"),
        "policy.situation": ("Situation", "条件", "조건"),
        "policy.example": ("For example", "例", "예"),
        "policy.several": (
            "The deal, or something that the columns leave open, decides which of these it is.",
            "どれになるかは、商談の内容か、列で分けていない条件で決まります。",
            "어느 것인지는 딜의 내용이나 열로 나누지 않은 조건에 따라 정해집니다.",
        ),
        "policy.kind": ("Kind", "種類", "종류"),
        "policy.rule": ("Rule", "ルール", "규칙"),
        "policy.condition": ("Condition", "条件", "조건"),
        "policy.counts": ("Here", "この場合", "이 경우"),
        "policy.in_effect": ("takes effect", "適用", "적용"),
        "policy.not_in_effect": ("does not", "適用外", "미적용"),
        "policy.place": ("Place", "場所", "위치"),
        "policy.who": ("has the deal", "商談が見える", "딜이 보임"),
        "policy.show": ("shows: {rung}", "表示: {rung}", "표시: {rung}"),
        "policy.limit": ("at most: {rung}", "上限: {rung}", "상한: {rung}"),
        "policy.no_rule": (
            "No rule is about this field.",
            "この項目のルールはありません。",
            "이 항목에 관한 규칙이 없습니다.",
        ),
        "policy.missing": ("What would show more", "さらに見せる条件", "더 보이게 하는 조건"),
        "policy.would": ("{rung} if", "次の条件で{rung}:", "다음 조건이면 {rung}:"),
        "policy.would_wait": (
            "{rung} only once a person has approved this very text; until then less",
            "この文面が承認されるまでは、{rung}では表示されません",
            "이 문장이 승인될 때까지 {rung} 수준으로는 표시되지 않습니다",
        ),
        "policy.nothing_missing": (
            "No single condition would show more.",
            "条件を一つ変えるだけでは、これ以上は見えません。",
            "조건 하나를 바꾸는 것만으로는 더 보이지 않습니다.",
        ),
    }
)
