"""What is said about deals that were taken back: to partners, and in the console."""

from __future__ import annotations

from webhook_app.texts.text import table

_BOTH = {
    "recalls.ended": ("Taken back", "共有終了", "공유 종료"),
    "recalls.state": ("Confirmation", "確認", "확인"),
    "recall_state.open": ("Not confirmed yet", "未確認", "확인 전"),
    "recall_state.overdue": ("Overdue", "期限超過", "기한 경과"),
    "recall_state.acknowledged": ("Confirmed", "確認済み", "확인 완료"),
}
OWN_RECALLS = table(
    {
        **_BOTH,
        "nav.recalls": ("Taken back", "共有終了", "공유 종료"),
        "recalls.title": ("Deals taken back", "共有が終了した商談", "공유가 종료된 딜"),
        "recalls.lead": (
            "{vendor} no longer shares these deals with you. Please delete your copies (files, exports, notes), then "
            "confirm here. Names are no longer shown; the number is the one in your files and in the deal's address.",
            "{vendor}は次の商談の共有を終了しました。お手元の写し（ファイル、エクスポート、メモなど）を削除し、"
            "この画面で削除完了をお知らせください。商談名は表示されません。番号は、ファイルや商談ページのアドレスにあるものと同じです。",
            "{vendor}에서 아래 딜의 공유를 종료했습니다. 보관 중인 사본(파일, 내보낸 데이터, 메모 등)을 삭제한 뒤 "
            "이 화면에서 삭제 완료를 알려 주세요. 딜 이름은 표시되지 않으며, "
            "번호는 파일과 딜 페이지 주소에 있는 번호와 같습니다.",
        ),
        "recalls.wait": (
            "Deals taken back that wait for your confirmation: {count}",
            "削除完了の確認をお待ちしている、共有が終了した商談: {count}件",
            "삭제 확인을 기다리는, 공유가 종료된 딜: {count}건",
        ),
        "recalls.wait_overdue": ("Overdue: {count}", "期限超過: {count}件", "기한 경과: {count}건"),
        "recalls.deal": ("Deal number", "商談番号", "딜 번호"),
        "recalls.received": ("First received", "初回受領", "최초 수령 일시"),
        "recalls.due": ("Confirm by", "確認期限", "확인 기한"),
        "recalls.ack": ("Our copies are deleted", "写しを削除しました", "사본을 삭제했습니다"),
        "recalls.ack_which": (
            "Our copies of {deal} are deleted",
            "{deal} の写しを削除しました",
            "{deal} 사본을 삭제했습니다",
        ),
        "recalls.done": (
            "Thank you. {vendor} sees your confirmation.",
            "ありがとうございます。削除完了を{vendor}に通知しました。",
            "감사합니다. 삭제 완료가 {vendor}에 전달되었습니다.",
        ),
        "recalls.more": ("More", "続き", "더 보기"),
        "recalls.none": ("Nothing was taken back", "共有が終了した商談はありません", "공유가 종료된 딜이 없습니다"),
        "recalls.none_text": (
            "A deal that you have opened appears here when {vendor} no longer shares it with you.",
            "ご覧になった商談の共有を{vendor}が終了すると、ここに表示されます。",
            "열어 본 딜의 공유를 {vendor}에서 종료하면 여기에 나타납니다.",
        ),
    }
)
RECALLS = table(
    {
        **_BOTH,
        "nav.recalls": ("Recalls", "回収依頼", "회수 요청"),
        "recalls.title": ("Recalls", "回収依頼", "회수 요청"),
        "recalls.lead": (
            "Deals whose sharing has ended after the partner had received something of them. "
            "Each partner is asked to delete its copies and to confirm that within 14 days.",
            "パートナーが内容を受け取った後に共有が終了した商談です。"
            "パートナーには、写しを削除し、14日以内に削除完了を知らせるよう求めています。",
            "파트너가 내용을 받은 뒤 공유가 종료된 딜입니다. "
            "파트너에게 사본을 삭제하고 14일 이내에 삭제 완료를 알리도록 요청합니다.",
        ),
        "recalls.wait": (
            "Recalls that wait for a partner's confirmation: {count}",
            "パートナーの確認待ちの回収依頼: {count}件",
            "파트너 확인을 기다리는 회수 요청: {count}건",
        ),
        "recalls.wait_overdue": ("Overdue: {count}", "期限超過: {count}件", "기한 경과: {count}건"),
        "recalls.show": ("State", "確認の状況", "확인 상태"),
        "recall_show.waiting": ("Waiting", "確認待ち", "확인 대기"),
        "recall_show.confirmed": ("Confirmed", "確認済み", "확인 완료"),
        "recalls.of": ("Recalls of {partner}", "{partner}への回収依頼", "{partner} 회수 요청"),
        "recalls.all": ("Recalls of all partners", "すべてのパートナーの回収依頼", "모든 파트너의 회수 요청"),
        "recalls.deal": ("Deal", "商談", "딜"),
        "recalls.unnamed": ("Deal no longer held", "保持していない商談", "보관하지 않는 딜"),
        "recalls.had": ("Had received", "受け取った内容", "받은 내용"),
        "recalls.messages": ("Messages alone", "メッセージのみ", "메시지만"),
        "recalls.forms": ("In {count} forms", "{count}通りの内容", "{count}가지 내용"),
        "recalls.first": ("{channels}, first {at}", "{channels}、初回 {at}", "{channels}, 최초 {at}"),
        "recalls.persons": ("Persons it received", "受け取った個人の情報", "받은 개인정보"),
        "recalls.until": ("due {at}", "期限 {at}", "기한 {at}"),
        "recalls.by": ("{at}, by {who}", "{at} {who}", "{at} {who}"),
        "recalls.by_api": ("{at}, by the API", "{at} API経由", "{at} API 이용"),
        "recalls.by_vendor": ("{at}, noted by {who}", "{at} {who}が記録", "{at} {who} 기록"),
        "recalls.confirm": ("Note as confirmed", "確認済みとして記録", "확인 완료로 기록"),
        "recalls.confirm_text": (
            "If a partner has confirmed by letter or mail, note it here; your name stands beside it.",
            "書面やメールで確認を受けた場合は、ここで記録してください。記録した人の名前が残ります。",
            "서면이나 메일로 확인받은 경우 여기에 기록하세요. 기록한 사람의 이름이 남습니다.",
        ),
        "recalls.noted": ("Noted.", "記録しました。", "기록했습니다."),
        "recalls.none": ("No recall waits", "確認待ちの回収依頼はありません", "대기 중인 회수 요청이 없습니다"),
        "recalls.none_text": (
            "When a share ends, the partner is asked here for what it had received.",
            "共有が終了すると、受け取った内容の回収依頼がここに並びます。",
            "공유가 종료되면 받은 내용의 회수 요청이 여기에 나타납니다.",
        ),
    }
)
