"""What the API's reference says of each address; the English is the specification's own."""

from __future__ import annotations

from webhook_app.texts.text import table

REFERENCE = table(
    {
        "GET /api/v1/deals": (
            "Your deals, one page of them",
            "共有されている商談の一覧（1ページ分）",
            "공유된 딜 목록(한 페이지)",
        ),
        "GET /api/v1/deals/{deal_id}": ("One deal", "商談1件", "딜 한 건"),
        "POST /api/v1/deals/{deal_id}/accept": ("Accept an invitation", "招待を受諾する", "초대 수락"),
        "POST /api/v1/deals/{deal_id}/decline": (
            "Decline an invitation, with a reason in `text` or without; or give back what you accepted, with one",
            "招待を辞退する（理由 `text` は任意）、または受諾した商談を返上する（理由は必須）",
            "초대 거절(사유 `text`는 선택) 또는 수락한 딜 반납(사유 필수)",
        ),
        "GET /api/v1/deals/{deal_id}/messages": (
            "What was written about a deal",
            "商談についてのメッセージ",
            "딜에 관한 메시지",
        ),
        "POST /api/v1/deals/{deal_id}/comments": (
            "Comment on a deal, or ask a question (`kind: inquiry`)",
            "商談にコメントする、または質問する（`kind: inquiry`）",
            "딜에 댓글을 쓰거나 문의하기(`kind: inquiry`)",
        ),
        "GET /api/v1/feed": (
            "What changed for you, oldest first",
            "御社に関わる変更（古い順）",
            "귀사에 해당하는 변경(오래된 순)",
        ),
        "GET /api/v1/statements": ("Your own support log", "御社の支援ログ", "귀사의 지원 로그"),
        "POST /api/v1/statements": (
            'Tell what you did: one statement, or `{"statements": [...]}` of up to 100, each with an `id` of yours',
            '活動を送る: 1件、または `{"statements": [...]}` で100件まで（それぞれに御社の `id`）',
            '활동 보내기: 한 건 또는 `{"statements": [...]}`로 100건까지(각각 귀사의 `id` 포함)',
        ),
        "GET /api/v1/documents": ("The documents that are open to you", "ご覧いただける資料", "볼 수 있는 자료"),
        "GET /api/v1/documents/{document_id}/{edition}/pages/{number}": (
            "One page of a document as PDF; it is noted in your support log",
            "資料の1ページ（PDF）。支援ログに記録されます",
            "자료 한 페이지(PDF). 지원 로그에 기록됩니다",
        ),
        "GET /api/v1/disclosures": (
            "What you received about persons, oldest first: day, way, fields with how sharply, legal basis",
            "受け取った個人データの記録（古い順）: 日付、方法、項目と表示の程度、法的根拠",
            "받은 개인정보 기록(오래된 순): 날짜, 방법, 항목과 표시 수준, 법적 근거",
        ),
        "GET /api/v1/disclosures.csv": (
            "The same, whole, as a CSV file for your record of what you received",
            "同じ記録の全件（CSV）。受領の記録として保管できます",
            "같은 기록 전체(CSV). 수령 기록으로 보관할 수 있습니다",
        ),
        "GET /api/v1/recalls": (
            "Deals that were taken back after you had received something of them, newest first",
            "受け取った後に共有が終了した商談（新しい順）",
            "받은 뒤 공유가 종료된 딜(최신순)",
        ),
        "POST /api/v1/recalls/{recall_id}/ack": (
            "Say that your copies of a deal that was taken back are deleted; said again, it stays as it was said first",
            "共有が終了した商談の写しを削除したことを知らせる（再送しても最初の記録が残ります）",
            "공유가 종료된 딜의 사본을 삭제했음을 알림(다시 보내도 첫 기록이 유지됩니다)",
        ),
    }
)
