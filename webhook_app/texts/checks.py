"""What the console says of how far our copy is what the CRM has, and how far a full read is."""

from __future__ import annotations

from webhook_app.texts.text import table

CHECKS = table(
    {
        "stream.check": ("Comparing", "照合", "대조"),
        "stream.deciding": ("Deciding who has which deal", "共有先の判定", "공유 대상 판정"),
        "checks.title": ("Compared with the CRM", "CRM との照合", "CRM과의 대조"),
        "checks.lead": (
            "What was missed is repaired. `sudare reconcile` compares at once.",
            "漏れがあれば自動で補います。`sudare reconcile` ですぐに照合できます。",
            "빠진 것은 자동으로 채웁니다. `sudare reconcile`로 바로 대조할 수 있습니다.",
        ),
        "checks.ids": ("All ids, every night", "全IDの照合（毎晩）", "모든 ID(매일 밤)"),
        "checks.counts": ("Counts, every hour", "件数の照合（毎時）", "건수(매시간)"),
        "checks.state.equal": ("equal", "一致", "일치"),
        "checks.state.different": ("differs", "不一致", "불일치"),
        "checks.state.failed": ("could not be compared", "照合できず", "대조 실패"),
        "checks.state.never": ("not compared yet", "未照合", "아직 대조 안 함"),
        "checks.as_of": ("as of {at}", "{at} 時点", "{at} 기준"),
        "checks.was_equal": ("last equal as of {at}", "最後の一致: {at} 時点", "마지막 일치: {at} 기준"),
        "checks.zone": (
            "Times are the CRM's clock in {zone}.",
            "時刻は CRM の時計によります（{zone}）。",
            "시각은 CRM 시계 기준입니다({zone}).",
        ),
        "checks.object": ("Object", "対象", "대상"),
        "checks.here": ("Here", "こちら", "이쪽"),
        "checks.there": ("In the CRM", "CRM", "CRM"),
        "checks.different": ("Differed", "不一致", "불일치"),
        "checks.repaired": ("Repaired", "補正", "보정"),
        "checks.calls": ("Calls", "呼び出し", "호출"),
        "object.account": ("Accounts", "取引先", "거래처"),
        "object.contact": ("Contacts", "担当者", "담당자"),
        "object.opportunity": ("Deals", "商談", "딜"),
        "object.user": ("CRM users", "CRMの利用者", "CRM 사용자"),
        "object.relations": ("Partners on deals", "商談のパートナー", "딜의 파트너"),
        "progress.title": ("How far the full reading is", "全件読み取りの進み具合", "전체 읽기 진행 상황"),
        "progress.lead": (
            "The estimate is for this step, at the pace so far.",
            "残り時間は、この工程のこれまでの速さによる見込みです。",
            "남은 시간은 이 단계의 지금까지 속도로 계산한 예상입니다.",
        ),
        "progress.of": ("{read} of {expected}", "{expected} 件中 {read} 件", "{expected}건 중 {read}건"),
        "progress.read": ("{read} so far", "{read} 件まで完了", "{read}건 완료"),
        "progress.seconds": ("less than a minute left", "残り1分未満", "1분 미만 남음"),
        "progress.minutes": ("about {count} min left", "残り約{count}分", "약 {count}분 남음"),
        "progress.hours": ("about {count} h left", "残り約{count}時間", "약 {count}시간 남음"),
        "progress.stalled": (
            "stands still: goes on with the next round",
            "停止中（次回の読み取りで再開）",
            "멈춤(다음 읽기에서 계속)",
        ),
    }
)
