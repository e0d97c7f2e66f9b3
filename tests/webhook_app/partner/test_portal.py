"""What a partner sees and does in the portal."""

from __future__ import annotations

import json

import pytest
import sqlalchemy as sa
from linked_pdf import linked_pdf
from werkzeug.test import TestResponse

from config.folder import read_folder
from sync import access
from sync.deciding.project import drain, mark
from sync.house import House
from sync.store import schema, unfiltered
from sync.store.documents import keep_documents
from sync.store.identifiers import internal_id, partner_id
from sync.versions.applied import apply_files
from webhook_app.texts.common import COMMON
from webhook_app.texts.partner import PARTNER
from webhook_app.texts.text import LANGUAGES

HIDDEN = ("7654321", "7,654,321", "canary-next-step", "12340000", "12,340,000")


def test_a_gold_partner_reads_its_deals_with_bands_and_nothing_hidden(sign_in):
    page = sign_in("MINATO").get("/").text
    assert "北辰製作所 基幹刷新" in page
    assert "Nordwind, warehouse" in page
    assert "500万〜2,000万円" in page
    assert "남강물산" not in page
    for canary in HIDDEN:
        assert canary not in page


def test_a_silver_partner_sees_the_same_deal_with_fewer_fields(sign_in, world, public):
    gold = sign_in("MINATO").get(f"/deals/{public(world, 'MINATO', '006A')}").text
    silver = sign_in("HANBIT", "ko").get(f"/deals/{public(world, 'HANBIT', '006A')}").text
    assert "500万〜2,000万円" in gold
    assert "金額帯で表示" in gold
    assert "2026年12月31日(木)" in gold
    assert "2,000만" not in silver
    assert "2026 회계연도 3분기" in silver
    assert "분기로 표시" in silver
    for canary in HIDDEN:
        assert canary not in gold
        assert canary not in silver


def test_another_partners_deal_is_the_same_page_as_one_that_never_was(sign_in, world, public):
    browser = sign_in("MINATO")
    stranger = browser.get(f"/deals/{public(world, 'HANBIT', '006C')}")
    never = browser.get("/deals/dneverexisted00000000x")
    assert stranger.status_code == never.status_code == 404
    assert stranger.data == never.data
    assert _headers(stranger) == _headers(never)
    for method in ("accept", "decline", "messages"):
        assert browser.post(f"/deals/{public(world, 'HANBIT', '006C')}/{method}", data={"text": "x"}).status_code == 404


@pytest.mark.parametrize(
    ("named", "staged"),
    [
        ("9999-99-99T99:99:99Z", "7.4.1 LTS"),
        ("9999-12-31T23:59:59Z", ". USA"),
        ("2026-13", "2026-15"),
        ("<script>alert(1)</script>{{ 7*7 }}\u202e", "=1+1"),
    ],
)
def test_whatever_somebody_types_as_a_name_or_a_stage_the_list_the_deal_and_the_api_still_open(
    sign_in, call, world, public, named, staged
):
    here = unfiltered.mirror.c.crm_id == "006A"
    with world.writing() as tx:
        fields = json.loads(tx.execute(sa.select(unfiltered.mirror.c.fields).where(here)).scalar_one())
        typed = json.dumps({**fields, "deal.name": named, "deal.stage": staged})
        tx.execute(sa.update(unfiltered.mirror).where(here).values(fields=typed))
        mark(tx, [internal_id("sf", "opportunity", "006A")])
    drain(world)
    browser, deal = sign_in("MINATO"), public(world, "MINATO", "006A")
    for address in ("/", f"/deals/{deal}", "/log"):
        answer = browser.get(address)
        assert answer.status_code == 200, address
        assert "<script>alert" not in answer.text
    assert call("MINATO").get(f"/api/v1/deals/{deal}").json["deal"]["name"] == named
    assert call("MINATO").get("/api/v1/deals", query_string={"deal.stage": staged}).json["deals"][0]["id"] == deal


def test_however_much_was_written_about_a_deal_the_latest_is_read_too(sign_in, world, public):
    browser, deal = sign_in("MINATO"), public(world, "MINATO", "006A")
    row = {"partner_id": partner_id("MINATO"), "deal_id": internal_id("sf", "opportunity", "006A"), "public_id": deal}
    old = {**row, "direction": "out", "author": "", "text": "an old one"}
    with world.writing() as tx:
        tx.execute(
            schema.messages.insert(),
            [{**old, "id": f"m{n:03}", "at": f"2026-01-01T00:00:00.000{n:03}Z"} for n in range(500)],
        )
    browser.post(f"/deals/{deal}/messages", data={"text": "the latest question"})
    page = browser.get(f"/deals/{deal}").text
    assert "the latest question" in page
    assert page.index("an old one") < page.index("the latest question")


@pytest.mark.parametrize("language", LANGUAGES)
def test_whoever_is_signed_in_finds_the_way_on_from_a_page_that_says_no(sign_in, door, world, language):
    browser = sign_in("MINATO", language)
    with world.writing() as tx:
        tx.execute(sa.text("drop table recalls"))  # something breaks on our side
    answers = [browser.get("/nothing"), browser.get("/?x=1"), browser.post("/keys/end"), browser.get("/recalls")]
    answers.append(browser.post("/sign-out", headers={"Sec-Fetch-Site": "cross-site"}))
    assert [answer.status_code for answer in answers] == [404, 400, 404, 500, 403]
    for answer in answers:
        assert f'<nav aria-label="{getattr(COMMON["nav"], language)}">' in answer.text
        assert f'<a href="/log">{getattr(PARTNER["nav.log"], language)}</a>' in answer.text
        assert "刷新" not in answer.text
    assert "<nav" not in door.test_client().get("/l/used").text


@pytest.mark.parametrize(
    "query",
    [
        "deal.margin=1",
        "sort=deal.margin",
        "foo=1",
        "deal.stage=won&deal.stage=lost",
        "after=nonsense",
        "limit=0",
        "limit=999",
    ],
)
def test_what_cannot_be_followed_is_refused_never_ignored(sign_in, query):
    assert sign_in("MINATO").get(f"/?{query}").status_code == 400


def test_pages_without_conditions_refuse_any(sign_in):
    browser = sign_in("MINATO")
    for path in ("/documents/", "/keys", "/sign-in", "/reference"):
        assert browser.get(path + "?utm_source=x").status_code == 400


def test_the_list_is_sorted_filtered_and_searched(sign_in):
    browser = sign_in("MINATO")
    up, down = browser.get("/?sort=deal.name").text, browser.get("/?sort=-deal.name").text
    assert _order(up, "Nordwind, warehouse</a>", "北辰製作所 基幹刷新</a>", after="<tbody>")
    assert _order(down, "北辰製作所 基幹刷新</a>", "Nordwind, warehouse</a>", after="<tbody>")
    found = browser.get("/?q=基幹&state=&deal.stage=").text
    assert "北辰製作所 基幹刷新</a>" in found
    assert "Nordwind" not in found.partition("<tbody>")[2]
    assert "条件に合う商談はありません" in browser.get("/?state=declined").text


def test_filter_menus_say_shown_values_in_the_readers_words(sign_in):
    page = sign_in("MINATO", "en").get("/").text
    assert '<option value="5M-20M JPY">¥5M – ¥20M</option>' in page
    band = sign_in("MINATO", "en").get("/", query_string={"deal.amount": "5M-20M JPY"}).text.partition("<tbody>")[2]
    assert "北辰製作所 基幹刷新" in band
    assert "Nordwind" not in band


def test_pages_of_the_list_follow_each_other_without_gap_or_repeat(sign_in):
    browser = sign_in("MINATO")
    first = browser.get("/?limit=1&sort=deal.name").text
    address = first.partition('<a class="button second" href="')[2].partition('"')[0].replace("&amp;", "&")
    second = browser.get(address).text
    assert "Nordwind" in first.partition("<tbody>")[2]
    assert "北辰製作所 基幹刷新" in second.partition("<tbody>")[2]
    assert "Nordwind" not in second.partition("<tbody>")[2]


def test_accepting_an_invitation_opens_what_the_policy_opens_and_is_logged_once(sign_in, world, public, rows):
    browser, deal = sign_in("MINATO"), public(world, "MINATO", "006A")
    assert "からこの商談へのご招待です" in browser.get(f"/deals/{deal}").text
    for _ in range(2):
        answer = browser.post(f"/deals/{deal}/accept")
        assert answer.headers["Location"] == f"/deals/{deal}?done=accepted"
    assert "この商談を受諾しました" in browser.get(answer.headers["Location"]).text
    assert [row["kind"] for row in rows(world, schema.statements)].count("deal.accepted") == 1


def test_declining_carries_the_reason(sign_in, world, public, rows):
    deal = public(world, "MINATO", "006B")
    sign_in("MINATO").post(f"/deals/{deal}/decline", data={"text": "人手が足りません"})
    said = [row for row in rows(world, schema.statements) if row["kind"] == "deal.declined"]
    assert "人手が足りません" in said[0]["fields"]


def test_an_accepted_deal_can_be_given_back_on_its_page_with_a_reason(sign_in, world, public, rows):
    browser, deal = sign_in("MINATO"), public(world, "MINATO", "006A")
    assert "返上する" not in browser.get(f"/deals/{deal}").text
    browser.post(f"/deals/{deal}/accept")
    assert "この商談を返上する" in browser.get(f"/deals/{deal}").text
    browser.post(f"/deals/{deal}/decline", data={"text": " "})
    assert "この商談を返上する" in browser.get(f"/deals/{deal}").text  # nothing is given back without a word
    answer = browser.post(f"/deals/{deal}/decline", data={"text": "担当が退職しました"})
    page = browser.get(answer.headers["Location"]).text
    assert "この商談を辞退しました" in page
    assert "返上する" not in page
    said = [row for row in rows(world, schema.statements) if row["kind"] == "deal.declined"]
    assert ["担当が退職しました" in row["fields"] for row in said] == [True]
    browser.post(f"/deals/{deal}/accept")
    assert "この商談を辞退しました" in browser.get(f"/deals/{deal}").text


def test_a_message_is_written_shown_and_escaped(sign_in, world, public):
    browser, deal = sign_in("MINATO"), public(world, "MINATO", "006A")
    answer = browser.post(f"/deals/{deal}/messages", data={"text": "<b>見積</b>を\n更新", "kind": "inquiry"})
    assert answer.status_code == 303
    page = browser.get(f"/deals/{deal}").text
    assert "&lt;b&gt;見積&lt;/b&gt;を\n更新" in page
    assert "佐藤 花子" in page
    assert browser.post(f"/deals/{deal}/messages", data={"text": "  "}).status_code == 422
    long = browser.post(f"/deals/{deal}/messages", data={"text": "長" * 4001})
    assert long.status_code == 422
    assert "長" * 4001 in long.text, "a draft is not lost"


def test_a_partner_without_deals_reads_a_sentence_that_helps(sign_in, world):
    with world.writing() as tx:
        tx.execute(schema.shares.delete())
    assert "青空ソフトウェアが商談を共有すると" in sign_in("MINATO").get("/").text


def test_a_document_is_read_page_by_page_and_each_page_is_noted(sign_in, world, pdf, rows):
    _put_document(world, pdf(2))
    browser = sign_in("MINATO")
    shelf = browser.get("/documents/").text
    assert "製品ガイド" in shelf
    reader = browser.get("/documents/product-guide/ja?page=2").text
    assert "/documents/product-guide/ja/pages/2.pdf" in reader
    leaf = browser.get("/documents/product-guide/ja/pages/2.pdf")
    assert leaf.mimetype == "application/pdf"
    assert leaf.data.startswith(b"%PDF")
    assert "frame-ancestors 'self'" in leaf.headers["Content-Security-Policy"]
    opened = [row for row in rows(world, schema.statements) if row["kind"] == "document.opened"]
    assert len(opened) == 1
    assert '"page":2' in opened[0]["fields"]
    for path in ("/product-guide/ja?page=3", "/product-guide/ja/pages/3.pdf", "/product-guide/en", "/secret/ja"):
        assert browser.get("/documents" + path).status_code == 404


def test_a_document_for_higher_tiers_is_absent_for_the_others(sign_in):
    assert sign_in("MINATO").get("/documents/price-list/ja").status_code == 200
    silver = sign_in("HANBIT", "ko")
    assert silver.get("/documents/price-list/ja").status_code == 404
    assert "표준 가격표" not in silver.get("/documents/").text


def test_a_file_changed_after_apply_changes_nothing_until_it_is_applied(sign_in, world, pdf):
    _put_document(world, pdf(2))
    (world.folder / "documents" / "product-guide.pdf").write_bytes(pdf(3))
    browser = sign_in("MINATO")
    assert browser.get("/documents/product-guide/ja/pages/2.pdf").status_code == 200
    assert browser.get("/documents/product-guide/ja/pages/3.pdf").status_code == 404
    _put_document(world, pdf(3))
    assert browser.get("/documents/product-guide/ja/pages/3.pdf").status_code == 200


def test_a_page_with_a_table_of_contents_brings_none_of_the_pages_that_it_leads_to(sign_in, world):
    _put_document(world, linked_pdf("the first page", "the second page", "the third page"))
    leaf = sign_in("MINATO").get("/documents/product-guide/ja/pages/1.pdf").data
    assert b"the first page" in leaf
    assert b"/URI" in leaf  # a link out of the document stays
    assert b"the second page" not in leaf
    assert b"the third page" not in leaf


def test_a_document_read_for_a_deal_is_noted_on_that_deal(sign_in, world, public, rows):
    browser, deal = sign_in("MINATO"), public(world, "MINATO", "006A")
    assert f"/documents/product-guide/ja?deal={deal}" in browser.get(f"/deals/{deal}").text
    leaf = "/documents/product-guide/ja/pages/1.pdf?deal="
    assert leaf + deal in browser.get(f"/documents/product-guide/ja?deal={deal}").text
    assert browser.get(leaf + deal).status_code == 200
    opened = [row for row in rows(world, schema.statements) if row["kind"] == "document.opened"]
    assert [row["deal_id"] for row in opened] != [None]
    assert browser.get(leaf + public(world, "HANBIT", "006C")).status_code == 404


def test_a_partner_reads_all_that_is_recorded_of_it_and_of_nobody_else(sign_in, world, public):
    sign_in("HANBIT").post(f"/deals/{public(world, 'HANBIT', '006C')}/messages", data={"text": "한빛의 질문"})
    browser, deal = sign_in("MINATO"), public(world, "MINATO", "006A")
    browser.post(f"/deals/{deal}/messages", data={"text": "納期は？"})
    log = browser.get("/log").text
    assert "サインイン" in log
    assert "納期は？" in log
    assert "北辰製作所 基幹刷新" in log
    assert "한빛의 질문" not in log


def test_a_key_is_shown_once_and_opens_nothing_after_its_end(sign_in, world, door):
    browser = sign_in("MINATO", "en")
    made = browser.post("/keys", data={"label": "ERP <script>"}).text
    key = made.partition('<code class="key">')[2].partition("<")[0]
    assert access.partner_of_key(world, key) == partner_id("MINATO")
    listed = browser.get("/keys").text
    assert key not in listed
    assert key[:14] in listed
    assert "ERP &lt;script&gt;" in listed
    assert browser.post("/keys/end", data={"hint": key[:14]}).status_code == 303
    assert access.partner_of_key(world, key) is None
    assert sign_in("HANBIT").post("/keys/end", data={"hint": key[:14]}).status_code == 404


def test_a_fault_of_ours_shows_a_page_and_logs_where_but_no_values(sign_in, world, public, caplog):
    browser, deal = sign_in("MINATO"), public(world, "MINATO", "006A")
    with world.writing() as tx:
        tx.exec_driver_sql("alter table messages rename to messages_gone")
    answer = browser.get(f"/deals/{deal}")
    assert answer.status_code == 500
    assert "うまくいきませんでした" in answer.text
    assert "OperationalError" not in answer.text
    assert "OperationalError" in caplog.text
    assert answer.headers["Request-Id"] in caplog.text
    assert deal not in caplog.text


def _headers(answer: TestResponse) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name != "Request-Id"}


def _order(text: str, *pieces: str, after: str) -> bool:
    rest = text.partition(after)[2]
    places = [rest.index(piece) for piece in pieces]
    return places == sorted(places)


def _put_document(house: House, content: bytes) -> None:
    path = house.folder / "documents" / "product-guide.pdf"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    apply_files(house, read_folder(house.folder), "admin@aozora.example", "a new guide")
    keep_documents(house, house.workspace().documents)
