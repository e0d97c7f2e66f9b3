"""What both doors say: layout, signing in, errors."""

from __future__ import annotations

from webhook_app.texts.text import table

COMMON = table(
    {
        "skip": ("Skip to content", "本文へ移動", "본문으로 건너뛰기"),
        "nav": ("Main", "メイン", "주 메뉴"),
        "language": ("Language", "言語", "언어"),
        "zone": ("Times are in {zone}", "時刻は {zone} で表示しています", "시각은 {zone} 기준입니다"),
        "sign_out": ("Sign out", "サインアウト", "로그아웃"),
        "sign_in.title": ("Sign in", "サインイン", "로그인"),
        "sign_in.lead": (
            "Enter your work e-mail. We send a link that signs you in; there is no password.",
            "会社のメールアドレスをご入力ください。サインイン用のリンクをお送りします。パスワードはありません。",
            "회사 이메일을 입력하세요. 로그인 링크를 보내 드립니다. 비밀번호는 없습니다.",
        ),
        "sign_in.email": ("E-mail", "メールアドレス", "이메일"),
        "sign_in.send": ("Send the link", "リンクを送る", "링크 보내기"),
        "sent.title": ("Look into your mail", "メールをご確認ください", "메일을 확인하세요"),
        "sent.text": (
            "If we know this address, a link is on its way. It works once, for 15 minutes.",
            "ご登録のあるアドレスでしたら、リンクをお送りしました。15分以内に一度だけご利用いただけます。",
            "등록된 주소라면 링크를 보냈습니다. 15분 동안 한 번만 쓸 수 있습니다.",
        ),
        "sent.again": ("Use another address", "別のアドレスを使う", "다른 주소 사용"),
        "link.title": ("Welcome, {name}", "{name}さん、ようこそ", "{name} 님, 환영합니다"),
        "link.text": (
            "This link signs you in for {company}. It works once.",
            "このリンクで「{company}」としてサインインします。一度だけご利用いただけます。",
            "이 링크로 {company} 소속으로 로그인합니다. 한 번만 쓸 수 있습니다.",
        ),
        "link.button": ("Continue", "続ける", "계속"),
        "gone.title": ("This link has been used", "このリンクは使用済みです", "이미 사용한 링크입니다"),
        "gone.text": (
            "Each link works once, for 15 minutes. Ask for a new one; it takes a moment.",
            "リンクは15分以内に一度だけご利用いただけます。新しいリンクをお求めください。すぐに届きます。",
            "링크는 15분 동안 한 번만 쓸 수 있습니다. 새 링크를 요청하세요. 곧 도착합니다.",
        ),
        "gone.button": ("Get a new link", "新しいリンクを受け取る", "새 링크 받기"),
        "updating.title": ("Updating, a moment", "更新しています", "업데이트 중입니다"),
        "updating.text": (
            "What is shown here is being updated. The page opens by itself in a moment.",
            "表示する内容を更新しています。まもなく自動で表示されますので、少々お待ちください。",
            "표시할 내용을 업데이트하고 있습니다. 잠시 후 자동으로 열립니다.",
        ),
        "error.home": ("Back to the first page", "最初のページへ", "첫 페이지로"),
        "error.404.title": ("There is nothing here for you", "このページは見つかりません", "페이지를 찾을 수 없습니다"),
        "error.404.text": (
            "The address may be mistyped, or what it showed is no longer shared with you.",
            "アドレスが正しくないか、共有が終了した可能性があります。",
            "주소가 잘못되었거나 더 이상 공유되지 않는 내용입니다.",
        ),
        "error.400.title": (
            "This address asks for something unknown",
            "この条件では表示できません",
            "알 수 없는 조건입니다",
        ),
        "error.400.text": (
            "One of the conditions in the address is not known here. Start again from the list.",
            "アドレスに含まれる条件のいずれかを認識できません。一覧からもう一度お進みください。",
            "주소에 포함된 조건 중 알 수 없는 것이 있습니다. 목록에서 다시 시작하세요.",
        ),
        "error.403.title": (
            "This is not open to your role",
            "現在の役割ではご利用になれません",
            "현재 역할로는 이용할 수 없습니다",
        ),
        "error.403.text": (
            "Nothing was changed. Ask an administrator if you need it.",
            "変更は行われていません。必要な場合は管理者にご相談ください。",
            "변경된 것은 없습니다. 필요하면 관리자에게 문의하세요.",
        ),
        "error.foreign.title": (
            "This was not sent from our page",
            "この操作は受け付けられません",
            "이 요청을 받을 수 없습니다",
        ),
        "error.foreign.text": (
            "For your safety we accept a form only from our own pages. Open the page again and send it from there.",
            "安全のため、このサイトのページから送られた操作だけを受け付けます。ページを開き直してもう一度お試しください。",
            "안전을 위해 이 사이트의 페이지에서 보낸 요청만 받습니다. 페이지를 다시 열어 보내 주세요.",
        ),
        "error.other.title": ("That did not work", "うまくいきませんでした", "처리하지 못했습니다"),
        "error.other.text": (
            "Nothing was changed. Try again; if it stays, give us the code below.",
            "変更は行われていません。もう一度お試しください。続く場合は下のコードをお知らせください。",
            "변경된 것은 없습니다. 다시 시도해 주세요. 계속되면 아래 코드를 알려 주세요.",
        ),
    }
)
