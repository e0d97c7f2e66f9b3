"""What the console says about free text that waits for approval."""

from __future__ import annotations

from webhook_app.texts.text import table

RELEASED = table(
    {
        "nav.texts": ("Texts", "文章の承認", "문장 승인"),
        "released.title": ("Texts waiting for approval", "承認待ちの文章", "승인 대기 중인 문장"),
        "released.lead": (
            "Partners see each of these texts only after you approve it exactly as it stands here. "
            "Any edit in the CRM withdraws the approval.",
            "次の文章は、この文面のまま承認されるまでパートナーに表示されません。"
            "CRMで編集されると承認は取り消されます。",
            "아래 문장은 이 내용 그대로 승인해야 파트너에게 표시됩니다. CRM에서 수정하면 승인은 취소됩니다.",
        ),
        "released.deal": ("Deal", "商談", "딜"),
        "released.text": ("As partners would see it", "パートナーに表示される文面", "파트너에게 표시될 내용"),
        "released.readers": ("Who would see it", "閲覧できるパートナー", "볼 수 있는 파트너"),
        "released.asked": ("Waiting since", "承認待ちになった日時", "대기 시작 일시"),
        "released.exact": ("whole, nothing masked", "全文（伏せ字なし）", "전문(가림 없음)"),
        "released.redacted": ("with parts masked", "一部を伏せて表示", "일부를 가리고 표시"),
        "released.approve": ("Approve this text", "この文面を承認", "이 문장 승인"),
        "released.withdraw": ("Withdraw", "承認を取り消す", "승인 취소"),
        "released.may_not": (
            "An administrator or an approver approves texts.",
            "文章を承認できるのは管理者と承認者です。",
            "문장은 관리자와 승인자가 승인합니다.",
        ),
        "released.none": ("No text waits", "承認待ちの文章はありません", "대기 중인 문장이 없습니다"),
        "released.none_text": (
            "A text waits here when a rule shows it exactly, or shows one of a class that is never shared.",
            "全文を表示するルール、または共有禁止の分類の文章を表示するルールがあると、ここに並びます。",
            "전문을 표시하는 규칙이나 공유 금지 분류의 문장을 표시하는 규칙이 있으면 여기에 나타납니다.",
        ),
        "released.given": ("Approved texts", "承認済みの文章", "승인된 문장"),
        "released.by": ("Approved", "承認", "승인"),
        "released.done.approved": (
            "Approved. The partners named see the text from now on.",
            "承認しました。対象のパートナーに表示されます。",
            "승인했습니다. 해당 파트너에게 표시됩니다.",
        ),
        "released.done.changed": (
            "The text has been changed meanwhile, so nothing was approved. Read it again.",
            "文章が変更されたため、承認されませんでした。もう一度ご確認ください。",
            "그사이 문장이 바뀌어 승인되지 않았습니다. 다시 확인해 주세요.",
        ),
        "released.done.withdrawn": (
            "Withdrawn. Partners no longer see this text as it was approved.",
            "承認を取り消しました。承認した文面は表示されなくなります。",
            "승인을 취소했습니다. 승인했던 문장은 더 이상 표시되지 않습니다.",
        ),
    }
)
