"""What the console says of our calls to a CRM: how many of the day are used, and what is held back."""

from __future__ import annotations

from webhook_app.texts.text import table

CALLS = table(
    {
        "calls.title": ("Calls to the CRM", "CRM への呼び出し", "CRM 호출"),
        "calls.used": (
            "{used} of {daily} calls of the day are used ({share}%), by all that call this CRM.",
            "この CRM を呼び出すすべてのシステムで、1日 {daily} 回のうち {used} 回（{share}%）を使いました。",
            "이 CRM을 호출하는 모든 시스템이 하루 {daily}회 중 {used}회({share}%)를 사용했습니다.",
        ),
        "calls.untold": (
            "This CRM does not say how many calls of the day are used.",
            "この CRM は、1日の呼び出し回数を知らせません。",
            "이 CRM은 하루 호출 횟수를 알려 주지 않습니다.",
        ),
        "calls.none_held": (
            "Nothing is held back.",
            "待機している処理はありません。",
            "대기 중인 작업이 없습니다.",
        ),
        "calls.until": ("Until {at}.", "{at} まで待ちます。", "{at}까지 기다립니다."),
        "calls.for.write-back": ("Writing partner activity", "パートナー活動の書き込み", "파트너 활동 기록"),
        "calls.for.pull": ("Reading changes", "変更の読み取り", "변경 읽기"),
        "calls.for.reconciliation": ("Comparing with the CRM", "CRM との照合", "CRM과의 대조"),
        "calls.why.rate": (
            "the calls that the CRM allows in a moment are taken.",
            "CRM が短時間に許す呼び出し回数に達しました。",
            "CRM이 짧은 시간에 허용하는 호출 횟수에 도달했습니다.",
        ),
        "calls.why.daily": (
            "what Sudare may use of the calls of this day is used up; nothing is lost.",
            "1日の呼び出しのうち、Sudare の割り当て分を使い切りました。失われるものはありません。",
            "하루 호출 중 Sudare의 몫을 모두 썼습니다. 잃는 것은 없습니다.",
        ),
        "calls.why.refused": (
            "the CRM asked to be left alone; nothing is lost.",
            "CRM から、しばらく呼び出さないよう求められました。失われるものはありません。",
            "CRM이 당분간 호출하지 말 것을 요청했습니다. 잃는 것은 없습니다.",
        ),
    }
)
