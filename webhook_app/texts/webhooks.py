"""What is said about a partner's webhook: to its people, and in the console."""

from __future__ import annotations

from webhook_app.texts.text import table

_BOTH = {
    "webhook.title": ("Webhook", "Webhook", "웹훅"),
    "webhook.taken": ("Last call taken {at}", "最終受信 {at}", "마지막 수신 {at}"),
    "webhook.failing": ("Failing since {at}: {status}", "{at}から未達: {status}", "{at}부터 전달 실패: {status}"),
    "webhook.next": ("Next try {at}", "次回の送信 {at}", "다음 전송 {at}"),
    "webhook_state.new": ("first call under way", "初回送信中", "첫 전송 중"),
    "webhook_state.on": ("works", "稼働中", "작동 중"),
    "webhook_state.failing": ("no answer", "応答なし", "응답 없음"),
    "webhook_state.paused": ("paused by the partner", "パートナーが一時停止", "파트너가 일시 중지"),
    "webhook_state.off": ("stopped", "停止", "중지됨"),
    "webhook_status.address": (
        "the name is not found, or does not lead to the public internet",
        "名前が見つからないか、公開されたインターネット上にありません",
        "이름을 찾을 수 없거나 공개 인터넷에 있지 않습니다",
    ),
    "webhook_status.tls": (
        "the certificate is not trusted, or of another name",
        "証明書が信頼されていないか、名前が一致しません",
        "인증서를 신뢰할 수 없거나 이름이 다릅니다",
    ),
    "webhook_status.timeout": (
        "no answer within 10 seconds",
        "10秒以内に応答がありませんでした",
        "10초 안에 응답이 없었습니다",
    ),
    "webhook_status.connection": (
        "the connection was refused or broke off",
        "接続が拒否されたか、途中で切れました",
        "연결이 거부되었거나 끊겼습니다",
    ),
    "webhook_status.answer": (
        "the answer was no HTTP",
        "HTTPの応答ではありませんでした",
        "HTTP 응답이 아니었습니다",
    ),
}
OWN_WEBHOOK = table(
    {
        **_BOTH,
        "webhook.lead": (
            "We call an https address of yours as soon as something changes for you. The signed call names the events "
            "and no deal data; your system then reads the feed with its key.",
            "変更があると、ご指定のhttpsアドレスに署名付きで通知します。通知に含まれるのは変更の種類と商談番号だけで、"
            "商談の内容は含まれません。内容はキーを使ってフィードから読み取ってください。",
            "변경이 있으면 지정하신 https 주소로 서명된 호출을 보냅니다. 변경 종류와 딜 번호만 담기며 딜 내용은 "
            "담기지 않습니다. 내용은 키로 피드에서 읽으세요.",
        ),
        "webhook.url": ("Address", "アドレス", "주소"),
        "webhook.name": ("Call this address", "このアドレスに通知する", "이 주소로 알림 받기"),
        "webhook.change": ("Change the address", "アドレスを変更する", "주소 변경"),
        "webhook.wrong": (
            "Give an https address on the public internet, port 443 or from 1024, without user name, password or `#`.",
            "公開されたインターネット上のhttpsアドレスを入力してください。ポートは443または1024以上とし、"
            "利用者名、パスワード、`#` は含めないでください。",
            "공개 인터넷의 https 주소를 입력하세요. 포트는 443 또는 1024 이상이어야 하며 "
            "사용자 이름, 비밀번호, `#`은 넣을 수 없습니다.",
        ),
        "webhook.secret": ("Your signing secret", "署名用シークレット", "서명 비밀 키"),
        "webhook.both": (
            "For 24 hours calls are signed with the secret before, too.",
            "24時間は以前のシークレットでも署名します。",
            "24시간 동안은 이전 비밀 키로도 서명합니다.",
        ),
        "webhook.new_secret": ("New secret", "新しいシークレット", "새 비밀 키"),
        "webhook.again": ("Try again now", "今すぐ再送信", "지금 다시 시도"),
        "webhook.go_on": ("Go on", "再開する", "다시 시작"),
        "webhook.pause": ("Pause", "一時停止", "일시 중지"),
        "webhook.remove": ("Remove", "削除する", "삭제"),
        "webhook.remove_this": (
            "Call this address no more",
            "このアドレスへの通知をやめる",
            "이 주소로 더 이상 알리지 않기",
        ),
        "webhook.off": (
            "We stopped calling, since nobody took the calls for five days or the address said that it is gone. "
            "Nothing is lost: it goes on where it stood.",
            "5日間受信されなかったか、アドレスが廃止されたため、通知を停止しました。"
            "再開すると、停止した箇所から続きます。",
            "5일 동안 수신되지 않았거나 주소가 폐지되어 알림을 중지했습니다. 다시 시작하면 멈춘 곳부터 이어집니다.",
        ),
        "webhook.no_key": (
            "Nothing is sent while you have no key.",
            "有効なキーがない間は通知しません。",
            "유효한 키가 없는 동안에는 보내지 않습니다.",
        ),
    }
)
WEBHOOK = table({**_BOTH, "webhook.calls": ("calls {host}", "通知先 {host}", "호출 대상 {host}")})
