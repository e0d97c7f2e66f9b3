"""What the console says of the notices that a CRM sends by itself."""

from __future__ import annotations

from webhook_app.texts.text import table

NOTICES = table(
    {
        "stream.notices": ("Notices", "通知", "알림"),
        "notices.title": ("Notices from the CRM", "CRM からの通知", "CRM에서 온 알림"),
        "notices.address": (
            "Address to enter in the CRM; SECRET stands for the secret of `notices:`.",
            "CRM に登録するアドレスです。SECRET は `notices:` の秘密の値に置き換えてください。",
            "CRM에 등록할 주소입니다. SECRET은 `notices:`의 비밀 값으로 바꾸세요.",
        ),
        "notices.last": ("Last one", "最新の受信", "마지막 수신"),
        "notices.waiting": ("Waiting", "処理待ち", "대기"),
        "notices.failed": ("Not readable", "読み取り不可", "읽지 못함"),
        "notices.none": (
            "None in the last day. If something was changed in the CRM, check the address and the secret there.",
            "この1日、受信はありません。CRM で変更があったなら、登録したアドレスと秘密の値をご確認ください。",
            "지난 하루 동안 받은 알림이 없습니다. CRM에서 변경이 있었다면 등록한 주소와 비밀 값을 확인하세요.",
        ),
    }
)
