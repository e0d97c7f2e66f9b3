"""The console's disclosure ledger: three questions, their answers, the reports; two roles, three languages."""

from __future__ import annotations

import csv
import io
import logging
import re
from urllib.parse import quote

import pytest
from provided import MAIL, NAME, Provided

from config.rules import BASES
from sync import access
from sync.ledger.questions import CHANNELS
from sync.ledger.reports import REPORTS, provisions
from sync.store import identifiers
from webhook_app.console.app import create_console_app
from webhook_app.console.ledger import whole
from webhook_app.texts.common import COMMON
from webhook_app.texts.ledger import LEDGER
from webhook_app.texts.text import LANGUAGES

MINATO, HANBIT = identifiers.partner_id("MINATO"), identifiers.partner_id("HANBIT")
SAME = {"Sec-Fetch-Site": "same-origin"}
FORMULA = '=HYPERLINK("https://evil.example")'


@pytest.fixture
def told(world):
    """Three persons of whom two partners could see something."""
    book = Provided(world)
    book.person("003TANAKA", "田中 太郎", "tanaka@customer.example")
    book.person("003HANAKO", "田中 花子")
    book.person("003FORMULA", FORMULA)
    book.provide(MINATO, "003TANAKA", "2026-11-01", fields={NAME: "initials"}, basis="entrustment")
    book.provide(MINATO, "003TANAKA", "2026-11-03", channel="page")
    book.provide(MINATO, "003FORMULA", "2026-11-04", channel="api", basis="")
    book.provide(HANBIT, "003TANAKA", "2026-11-02", fields={NAME: "exact", MAIL: "domain"}, channel="feed")
    return book


@pytest.fixture
def signed_in(come_in, told):
    """A browser in which an auditor is signed in, when there is something to ask about."""
    return lambda role="auditor", language="en": come_in(role, language)


@pytest.fixture
def tanaka(told) -> str:
    return told.ids["003TANAKA"]


@pytest.fixture
def pages(tanaka) -> list[str]:
    return [
        "/ledger",
        f"/ledger/people/{tanaka}",
        f"/ledger/partners/{MINATO}",
        "/ledger/reports",
        "/ledger/report?kind=appi29",
        "/ledger/report?kind=appi29&partner=MINATO&from=2026-11-02&until=2026-11-30",
        "/ledger/report?kind=appi30&partner=MINATO",
        f"/ledger/report?kind=gdpr15&person={tanaka}",
        f"/ledger/report?kind=pipa&person={tanaka}",
    ]


@pytest.fixture
def files(pages) -> list[str]:
    return [each.replace("/report?", "/report.csv?") for each in pages if "/report?" in each]


def text_of(answer) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.get_data(as_text=True)))


def ask(browser, about: str, asked: str):
    return browser.post(f"/ledger/{about}", data={"asked": asked}, headers=SAME)


def table_of(answer) -> list[list[str]]:
    return list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("role", ["admin", "auditor"])
def test_administrators_and_auditors_open_every_page_in_their_language(signed_in, role, language, pages, files):
    browser = signed_in(role, language)
    for address in pages:
        answer = browser.get(address)
        assert answer.status_code == 200, address
        assert f'<html lang="{language}">' in answer.get_data(as_text=True)
        assert 'href="/ledger"' in answer.get_data(as_text=True)
    for address in files:
        assert browser.get(address).status_code == 200, address


@pytest.mark.parametrize("role", ["approver", "partner manager"])
def test_other_roles_are_refused_and_see_no_way_there(signed_in, role, pages, files):
    browser = signed_in(role)
    for address in [*pages, *files]:
        refused = browser.get(address)
        assert (refused.status_code, COMMON["error.403.title"].en in refused.text) == (403, True), address
    assert ask(browser, "people", "田中").status_code == 403
    assert browser.post("/ledger/seen", data={"partner": "MINATO", "deal": "006A"}, headers=SAME).status_code == 403
    assert 'href="/ledger"' not in browser.get("/").get_data(as_text=True)


def test_who_is_not_signed_in_is_led_to_the_sign_in(world, told, pages, files):
    stranger = create_console_app(world).test_client()
    for address in [*pages, *files]:
        assert stranger.get(address).headers["Location"] == "/sign-in"


def test_a_name_leads_to_the_person_and_to_everybody_who_could_see_the_person(signed_in, tanaka):
    browser = signed_in()
    answer = ask(browser, "people", "田中太郎 様")
    assert answer.headers["Location"] == f"/ledger/people/{tanaka}"
    page = text_of(browser.get(answer.headers["Location"]))
    assert "田中 太郎" in page
    assert "한빛솔루션 Name (as it is), E-mail (shown by domain) consent feed 2 Nov 2026 2 Nov 2026" in page
    assert "港システム Name (shown by initials) entrustment could be seen 1 Nov 2026" in page


def test_where_several_persons_answer_one_is_chosen(signed_in, told):
    page = ask(signed_in(), "people", "田中")
    assert page.status_code == 200
    assert f'href="/ledger/people/{told.ids["003TANAKA"]}"' in page.get_data(as_text=True)
    assert f'href="/ledger/people/{told.ids["003HANAKO"]}"' in page.get_data(as_text=True)


def test_where_nobody_answers_the_page_says_what_that_means(signed_in):
    assert "Nobody found in the ledger" in text_of(ask(signed_in(), "people", "佐藤"))


@pytest.mark.parametrize("asked", ["MINATO", "港システム"])
def test_a_partner_leads_to_all_that_it_could_see(signed_in, asked):
    browser = signed_in(language="ja")
    address = ask(browser, "partners", asked).headers["Location"]
    page = text_of(browser.get(address))
    assert "田中 太郎 氏名（頭文字で表示） 委託 閲覧可能 2026年11月1日" in page
    assert "記載なし" in page  # a rule named no basis: said, not guessed


def test_an_unknown_partner_is_told(signed_in):
    assert "No partner answers to this" in text_of(ask(signed_in(), "partners", "NOBODY"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_a_partner_saw_of_a_deal_is_told_with_the_rules_and_without_a_value(signed_in, language):
    answer = signed_in(language=language).post("/ledger/seen", data={"partner": "MINATO", "deal": "006A"}, headers=SAME)
    assert answer.status_code == 200
    page = text_of(answer)
    for told in ("Price band for gold and platinum", "deal.amount", "Partners with an agreement in force"):
        assert told in page
    for value in ("12,340,000", "12340000", "5M", "500万", "500만", "7,654,321"):
        assert value not in page


def test_before_a_partner_had_a_deal_it_could_see_nothing_of_it(signed_in):
    asked = {"partner": "MINATO", "deal": "006A", "at": "2020-01-01T10:00"}
    page = text_of(signed_in().post("/ledger/seen", data=asked, headers=SAME))
    assert "港システム could see nothing of this deal at 1 Jan 2020, 10:00." in page


@pytest.mark.parametrize("at", ["0999-01-01T00:00", "0001-01-02T00:00"])
def test_in_a_year_that_sorts_behind_ours_as_text_it_could_see_nothing_either(signed_in, at):
    page = text_of(signed_in().post("/ledger/seen", data={"partner": "MINATO", "deal": "006A", "at": at}, headers=SAME))
    assert "港システム could see nothing of this deal" in page


def test_behind_closed_doors_a_partner_saw_nothing_and_the_page_says_who_closed_them(world, signed_in):
    asked = {"partner": "MINATO", "deal": "006A"}
    access.pause(world, MINATO, "sato@aozora.example")
    page = text_of(signed_in().post("/ledger/seen", data=asked, headers=SAME))
    assert "could see nothing of this deal" in page
    assert re.search(r"Its doors were closed: paused,\s+from [^(]* \(sato@aozora.example\)", page), page
    assert "Price band" not in page
    access.resume(world, MINATO, "sato@aozora.example")
    assert "Price band" in text_of(signed_in().post("/ledger/seen", data=asked, headers=SAME))


def test_partners_are_offered_by_name_where_one_is_asked_for(signed_in):
    browser = signed_in()
    for address in ("/ledger", "/ledger/reports"):
        page = browser.get(address).text
        assert page.count('<datalist id="partners">') == 1
        assert '<option value="MINATO">港システム</option>' in page


@pytest.mark.parametrize(
    "asked",
    [
        {"partner": "NOBODY", "deal": "006A"},
        {"partner": "MINATO", "deal": "none"},
        {"partner": "MINATO", "deal": "006A", "at": "yesterday"},
        {"partner": "MINATO", "deal": "006A", "at": "0001-01-01T00:00"},
        {"partner": "MINATO", "deal": "006A", "at": "2026-11-26T10:00+00:00"},
        {},
    ],
)
def test_where_partner_or_deal_or_time_is_unclear_the_page_says_what_to_give(signed_in, asked):
    page = text_of(signed_in().post("/ledger/seen", data=asked, headers=SAME))
    assert "No partner or no deal answers to this" in page


def test_an_erased_person_is_shown_by_a_pseudonym_everywhere(world, signed_in, told, tanaka, pages, files):
    told.erase("003TANAKA", world.now())
    browser = signed_in()
    for address in [*pages, *files]:
        answer = browser.get(address).get_data(as_text=True)
        assert "太郎" not in answer
        assert "003TANAKA" not in answer
        assert "tanaka@" not in answer
    assert f"person-{tanaka[:8]}" in text_of(browser.get(f"/ledger/partners/{MINATO}"))
    assert f"person-{tanaka[:8]}" in text_of(browser.get("/ledger/report?kind=appi29"))


def test_no_name_stands_in_an_address_or_a_log(signed_in, caplog, pages):
    caplog.set_level(logging.DEBUG)
    browser = signed_in()
    addresses = [ask(browser, "people", "田中太郎").headers["Location"]]
    for address in pages:
        addresses += re.findall(r'(?:href|action|formaction)="([^"]+)"', browser.get(address).get_data(as_text=True))
    for told in (*addresses, caplog.text):
        for name in ("田中", "太郎", quote("田中"), quote("太郎"), "tanaka@customer"):
            assert name not in told


def test_the_provider_record_has_what_article_29_asks_for_with_its_articles(signed_in):
    answer = signed_in(language="ja").get("/ledger/report.csv?kind=appi29")
    assert answer.data.startswith("\ufeff".encode())
    assert answer.headers["Content-Disposition"] == 'attachment; filename="sudare-appi29.csv"'
    head, *rows = table_of(answer)
    assert head[:5] == [
        "提供先の名称 (法29条1項・規則20条)",
        "提供先の住所 (法29条1項・規則20条)",
        "提供先の代表者 (法29条1項・規則20条)",
        "本人の氏名 (法29条1項・規則20条)",
        "個人データの項目 (法29条1項・規則20条)",
    ]
    first = next(row for row in rows if row[0] == "한빛솔루션")
    assert first == [
        "한빛솔루션",
        "Sudareでは把握していません",
        "Sudareでは把握していません",
        "田中 太郎",
        "氏名（そのまま表示）、メール（ドメインのみ表示）",
        "本人の同意",
        "本人の同意",
        "2026年11月2日",
        "2026年11月2日",
        "フィード",
    ]
    assert next(row for row in rows if "頭文字" in row[4])[5:7] == ["", "委託"]  # entrusted: no consent is claimed


def test_the_recipients_address_is_told_where_the_crm_has_it_and_never_made_up(told, signed_in):
    told.partner("FUJI", "富士商会", address="東京都千代田区1-1", representative="富士 一郎")
    told.provide(identifiers.partner_id("FUJI"), "003HANAKO", "2026-11-05")
    rows = table_of(signed_in(language="ja").get("/ledger/report.csv?kind=appi29&partner=FUJI"))
    assert rows[1][:4] == ["富士商会", "東京都千代田区1-1", "富士 一郎", "田中 花子"]


def test_the_recipient_record_leaves_to_the_companies_what_only_they_know(signed_in):
    head, *rows = table_of(signed_in().get("/ledger/report.csv?kind=appi30&partner=MINATO"))
    assert head[3] == "How the provider acquired the data (APPI Art. 30(1)(ii))"
    assert {tuple(row[:4]) for row in rows} == {("青空ソフトウェア", *["not known to Sudare"] * 3)}
    assert {row[4] for row in rows} == {"田中 太郎", "'" + FORMULA}


def test_a_persons_recipients_are_named_one_by_one(signed_in, tanaka):
    browser = signed_in(language="ko")
    gdpr = table_of(browser.get(f"/ledger/report.csv?kind=gdpr15&person={tanaka}"))
    assert {row[0] for row in gdpr[1:]} == {"港システム", "한빛솔루션"}
    pipa = table_of(browser.get(f"/ledger/report.csv?kind=pipa&person={tanaka}"))
    assert pipa[0][:4] == [
        "제공받는 자 (법 제17조 제2항 제1호)",
        "제공받는 자의 이용 목적 (법 제17조 제2항 제2호)",
        "개인정보 항목 (법 제17조 제2항 제3호)",
        "제공받는 자의 보유 및 이용 기간 (법 제17조 제2항 제4호)",
    ]
    assert {row[1] for row in pipa[1:]} == {row[3] for row in pipa[1:]} == {"Sudare가 알 수 없음"}
    assert "정보주체의 동의" in {row[4] for row in pipa[1:]}
    assert "2026. 11. 2." in {row[5] for row in pipa[1:]}


def test_a_person_who_asks_in_japan_is_handed_what_the_record_says_of_that_person_alone(signed_in, tanaka):
    browser = signed_in(language="ja")
    of_all = table_of(browser.get("/ledger/report.csv?kind=appi29"))
    named = of_all[0].index(next(cell for cell in of_all[0] if cell.startswith("本人の氏名")))
    of_tanaka = [row[:named] + row[named + 1 :] for row in of_all if row[named] == "田中 太郎"]
    asked = table_of(browser.get(f"/ledger/report.csv?kind=appi33&person={tanaka}"))
    assert asked[0] == of_all[0][:named] + of_all[0][named + 1 :]
    assert sorted(asked[1:]) == sorted(of_tanaka) != []


def test_a_report_holds_the_days_asked_for_alone(signed_in):
    rows = table_of(signed_in().get("/ledger/report.csv?kind=appi29&from=2026-11-02&until=2026-11-03"))[1:]
    assert {row[7] for row in rows} == {"2 Nov 2026", "3 Nov 2026"}


@pytest.mark.parametrize(
    ("address", "needs", "kept"),
    [
        ("/ledger/report?kind=appi30", "No partner answers to this", ""),
        ("/ledger/report?kind=appi29&partner=NOBODY&from=2026-11-01", "No partner answers", 'value="NOBODY" maxlength'),
        ("/ledger/report?kind=gdpr15&person=nobody", "Nobody found in the ledger", ""),
        (
            "/ledger/report?kind=appi29&from=yesterday",
            "Give days that the calendar has",
            'name="from" value="yesterday"',
        ),
        ("/ledger/report?kind=appi29&until=20261125", "Give days that the calendar has", ""),
        ("/ledger/report.csv?kind=pipa", "Nobody found in the ledger", ""),
    ],
)
def test_a_report_about_nobody_or_of_no_day_is_refused_with_what_it_needs_and_keeps_what_was_typed(
    signed_in, address, needs, kept
):
    answer = signed_in().get(address)
    assert answer.status_code == 422
    assert needs in text_of(answer)
    assert kept in answer.text


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/ledger/people/nobody", 404),
        ("/ledger/partners/MINATO", 404),
        ("/ledger/report?kind=other", 404),
        ("/ledger/report", 404),
        ("/ledger?q=1", 400),
        ("/ledger/people/nobody?name=x", 400),
        ("/ledger/report.csv?kind=appi29&after=x", 400),
    ],
)
def test_what_does_not_exist_is_404_and_an_unknown_parameter_400(signed_in, address, status):
    assert signed_in().get(address).status_code == status


def test_a_record_of_too_many_rows_is_refused_rather_than_cut_short(world, told):
    rows = list(provisions(world, REPORTS["appi29"], None))
    assert whole(iter(rows), len(rows)) == rows
    assert whole(iter(rows), len(rows) - 1) is None


def test_every_word_of_the_ledger_stands_in_three_languages():
    for name in (*(f"report.{each}" for each in REPORTS), *(f"report.{each}_text" for each in REPORTS)):
        assert name in LEDGER
    assert {f"basis.{each}" for each in (*BASES, "none")} == {each for each in LEDGER if each.startswith("basis.")}
    assert {f"channel.{each}" for each in CHANNELS} == {each for each in LEDGER if each.startswith("channel.")}
    columns = {column.name for report in REPORTS.values() for column in report.columns}
    assert {f"column.{each}" for each in columns} == {each for each in LEDGER if each.startswith("column.")}
    articles = {column.article for report in REPORTS.values() for column in report.columns} - {""}
    assert {f"article.{each}" for each in articles} == {each for each in LEDGER if each.startswith("article.")}
    for text in LEDGER.values():
        assert text.en
        assert text.ja
        assert text.ko
        assert not re.search("[\uac00-\ud7a3\u3041-\u30ff]", text.en)
        assert not re.search("[\uac00-\ud7a3]", text.ja)
        assert not re.search("[\u3041-\u30ff]", text.ko)
