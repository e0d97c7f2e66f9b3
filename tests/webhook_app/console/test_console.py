"""The console: everything for those who are signed in, nothing for others; it reads, and it pauses."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from config.folder import read_folder
from connectors.base import Notice
from sync import access
from sync.actions.kinds import Statement
from sync.actions.support_log import record, say
from sync.checks.certificate import Check, note
from sync.house import instant
from sync.mirror.notices import finish, keep
from sync.projection.reader import Projection
from sync.store import identifiers, schema, unfiltered
from sync.store.rows import upsert
from sync.versions.applied import apply_files
from sync.vitals import write_vitals
from webhook_app.console.app import create_console_app
from webhook_app.front.children import DOORS
from webhook_app.partner.app import create_partner_app
from webhook_app.texts.calls import CALLS
from webhook_app.texts.checks import CHECKS
from webhook_app.texts.console import CONSOLE as REST
from webhook_app.texts.ledger import LEDGER
from webhook_app.texts.notices import NOTICES
from webhook_app.texts.plans import PLANS
from webhook_app.texts.policy import POLICY
from webhook_app.texts.recalls import RECALLS
from webhook_app.texts.released import RELEASED
from webhook_app.texts.schema import SCHEMA
from webhook_app.texts.text import LANGUAGES
from webhook_app.texts.webhooks import WEBHOOK

WORDS = {
    **REST,
    **SCHEMA,
    **NOTICES,
    **CHECKS,
    **CALLS,
    **LEDGER,
    **PLANS,
    **POLICY,
    **RELEASED,
    **RECALLS,
    **WEBHOOK,
}
MINATO = identifiers.partner_id("MINATO")
SAME = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def admin(come_in):
    return come_in()


@pytest.fixture
def pages(public, world):
    deal = identifiers.internal_id("sf", "opportunity", "006A")
    return [
        "/",
        "/partners",
        f"/partners/{MINATO}",
        f"/partners/{MINATO}/deals/{public(world, 'MINATO', '006A')}",
        "/deals",
        f"/deals/{deal}",
        f"/deals/{deal}?partner={identifiers.partner_id('HANBIT')}",
        "/outbox",
        "/outbox?state=due",
        "/quarantine",
        "/plans",
        "/versions",
        "/versions/1",
        "/users",
    ]


def text_of(answer) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.get_data(as_text=True)))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_opens_in_every_language(come_in, pages, language):
    browser = come_in(language=language)
    for address in pages:
        answer = browser.get(address)
        assert answer.status_code == 200, address
        assert f'<html lang="{language}">' in answer.get_data(as_text=True)


def test_nobody_who_is_not_come_in_sees_a_page(world, pages):
    stranger = create_console_app(world).test_client()
    for address in pages:
        answer = stranger.get(address)
        assert (answer.status_code, answer.headers["Location"]) == (303, "/sign-in")
        assert b"7654" not in answer.data


def test_a_partners_session_does_not_open_the_console(world):
    person = access.add_person(world, "sato@minato.example", "", partner_id=MINATO)
    token, *_ = access.use_link(world, access.make_link(world, person.id))
    browser = create_console_app(world).test_client()
    browser.set_cookie("sudare-vendor", token)
    assert browser.get("/deals").headers["Location"] == "/sign-in"


@pytest.mark.parametrize(
    "address", ["/?x=1", "/outbox?state=lost", "/outbox?state=due&state=done", "/deals?sort=margin"]
)
def test_an_unknown_parameter_is_refused(admin, address):
    assert admin.get(address).status_code == 400


@pytest.mark.parametrize("language", LANGUAGES)
def test_whoever_is_signed_in_finds_the_way_on_from_a_page_that_says_no(come_in, language):
    browser = come_in("partner manager", language)
    for address, code in (("/deals/none", 404), ("/ledger", 403), ("/?x=1", 400)):
        answer = browser.get(address)
        assert answer.status_code == code
        assert f'<a href="/deals">{getattr(WORDS["nav.deals"], language)}</a>' in answer.text
        assert 'href="/ledger"' not in answer.text


@pytest.mark.parametrize(
    "address",
    ["/partners/nobody", "/partners/MINATO", "/deals/none", f"/partners/{MINATO}/deals/d1", f"/versions/{10**20}"],
)
def test_what_does_not_exist_is_404(admin, address):
    assert admin.get(address).status_code == 404


def test_the_admin_sees_through_the_partners_eyes_and_no_more(world, admin, public):
    page = admin.get(f"/partners/{MINATO}/deals/{public(world, 'MINATO', '006A')}")
    assert "You are looking as 港システム" in text_of(page)
    assert b"7,654,321" not in page.data
    assert "canary-next-step" not in text_of(page)
    shown = Projection(world, MINATO).deal(public(world, "MINATO", "006A"))
    assert shown.body["shown"]["deal.amount"] == "band"
    assert "¥5M – ¥20M" in text_of(page)


def test_the_admin_sees_every_field_with_class_and_the_reason_why_a_partner_sees_it_as_it_does(admin):
    deal = identifiers.internal_id("sf", "opportunity", "006A")
    as_minato, as_hanbit = (
        text_of(admin.get(f"/deals/{deal}?partner={identifiers.partner_id(key)}")) for key in ("MINATO", "HANBIT")
    )
    assert "¥7,654,321 internal, price money hidden" in as_minato
    assert "band: “Price band for gold and platinum”" in as_minato
    assert "price ← deal.amount" in as_minato
    assert "band: “Price band for gold and platinum”" not in as_hanbit


def test_a_deal_is_found_by_its_crm_id_or_name(admin):
    deal = identifiers.internal_id("sf", "opportunity", "006B")
    for asked in ("006B", "Nordwind, warehouse"):
        assert admin.get("/deals", query_string={"q": asked}).headers["Location"] == f"/deals/{deal}"
    assert "Nothing found" in text_of(admin.get("/deals?q=nothing+of+the+kind"))


def test_what_partners_write_is_shown_as_text_and_never_as_markup(world, admin, public):
    deal = public(world, "MINATO", "006A")
    say(world, MINATO, "sato@minato.example", "comment", deal, text="<script>alert(1)</script>")
    page = admin.get(f"/partners/{MINATO}/deals/{deal}").get_data(as_text=True)
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert" not in page


def test_the_outbox_and_the_quarantine_say_what_waits_and_why(world, admin, public):
    say(world, MINATO, "sato@minato.example", "comment", public(world, "MINATO", "006A"), text="hello")
    record(world, Statement("learning", "x", "login", world.clock(), None, "who@nowhere.example", None, {}, "d"))
    with world.writing() as tx:
        tx.execute(sa.update(schema.actions).values(state="unknown", problem="no answer came"))
    assert "Commented no answer came 港システム sf" in text_of(admin.get("/outbox?state=unknown"))
    assert "The outbox is empty" in text_of(admin.get("/outbox?state=done"))
    assert "no partner answers to this person" in text_of(admin.get("/quarantine"))


def _stream(world, connection="sf", **more):
    row = {"connection": connection, "stream": "opportunities", "shape": "", "round_ended": world.now(), **more}
    with world.writing() as tx:
        tx.execute(sa.delete(unfiltered.streams))
        tx.execute(sa.insert(unfiltered.streams).values(**row))


def test_the_first_page_says_in_words_what_each_connection_needs(world, admin):
    assert "first reading" in text_of(admin.get("/"))
    _stream(world)
    assert "in step Nothing to do." in text_of(admin.get("/"))
    _stream(world, problem="sf: HTTP 401: sign in again", problem_kind="needs admin", problem_at=world.now())
    told = text_of(admin.get("/"))
    assert "needs a person" in told
    assert "Deals : sf: HTTP 401: sign in again" in told
    _stream(world, round_ended="2026-01-01T00:00:00.000000Z")
    assert "late No round has ended for a while" in text_of(admin.get("/"))


@pytest.mark.parametrize("language", ["en", "ja", "ko"])
@pytest.mark.parametrize(("once", "sentence"), [(True, "outbox.once"), (False, "outbox.healed")])
def test_a_connections_own_page_says_which_promise_holds_for_logged_actions(world, come_in, language, once, sentence):
    with world.writing() as tx:
        tx.execute(sa.insert(schema.promises).values(connection="sf", once=once, at=world.now()))
    told = text_of(come_in(language=language).get("/connections/sf"))
    assert getattr(WORDS[sentence], language) in told


def test_a_connections_own_page_says_what_is_read_what_runs_and_what_is_wrong(world, admin):
    _stream(world, problem="sf: HTTP 401: sign in again", problem_kind="needs admin", problem_at=world.now())
    jobs = {"pull:sf": {"ended": world.now()}, "pull:hs": {"ended": world.now()}, "deliver": {"ended": world.now()}}
    write_vitals(world.folder, "schedule", {"jobs": jobs})
    told = text_of(admin.get("/connections/sf"))
    assert "sf salesforce needs a person" in told
    assert "Deals : sf: HTTP 401: sign in again" in told
    assert "pull:sf" in told
    assert not {"pull:hs", "deliver"} & set(told.split())
    assert admin.get("/connections/none").status_code == 404


@pytest.mark.parametrize("language", ["en", "ja", "ko"])
def test_a_connections_own_page_says_how_much_of_the_crms_day_is_used_and_what_is_held_back(world, come_in, language):
    held = {"pull": {"why": "daily", "until": world.now()}}
    calls = {"sf": {"used": 72_500, "daily": 100_000, "held": held}, "hs": {"used": None, "daily": None, "held": {}}}
    write_vitals(world.folder, "schedule", {"calls": calls})
    browser = come_in(language=language)
    told = text_of(browser.get("/connections/sf"))
    used = getattr(WORDS["calls.used"], language).format(used="72,500", daily="100,000", share=72)
    for sentence in (used, *(getattr(WORDS[f"calls.{key}"], language) for key in ("for.pull", "why.daily"))):
        assert sentence in told
    told = text_of(browser.get("/connections/hs"))
    assert getattr(WORDS["calls.untold"], language) in told
    assert getattr(WORDS["calls.none_held"], language) in told


def test_the_first_page_says_what_runs_and_what_does_not(world, admin):
    assert "sudare serve starts the doors" in text_of(admin.get("/"))
    children = {"partner": {"pid": 7, "starts": 3}, "vendor": {"pid": None, "starts": 1}}
    write_vitals(world.folder, "serve", {"at": world.now(), "children": children})
    fault = {"kind": "fault", "problem": "KeyError at pull.py:7", "ended": world.now(), "next": world.now()}
    write_vitals(world.folder, "schedule", {"jobs": {"pull:hs": fault}})
    told = text_of(admin.get("/"))
    assert "partner running 3× Console vendor stopped 1×" in told
    assert "hs hubspot fault" in told
    assert "KeyError at pull.py:7" in told
    write_vitals(world.folder, "serve", {"at": "2026-01-01T00:00:00.000000Z", "children": children})
    assert "No sign of life since" in text_of(admin.get("/"))


def test_the_first_page_lists_what_needs_attention_and_leads_there(world, admin, public):
    assert "Nothing needs attention." in text_of(admin.get("/"))
    say(world, MINATO, "sato@minato.example", "comment", public(world, "MINATO", "006A"), text="hello")
    record(world, Statement("learning", "x", "login", world.clock(), None, "who@nowhere.example", None, {}, "d"))
    _stream(world, problem="sf: HTTP 401: sign in again", problem_kind="needs admin", problem_at=world.now())
    with world.writing() as tx:
        tx.execute(sa.update(schema.actions).values(state="parked"))
    first = admin.get("/")
    assert "What needs attention Connection sf needs a person" in text_of(first)
    for line, address in {
        "Connection sf": "/connections/sf",
        "Logged actions that could not be written: 1": "/outbox?state=parked",
        "Set aside: 1": "/quarantine",
    }.items():
        assert f'<li><a href="{address}">{line}</a>' in first.text


def test_what_runs_as_it_should_is_one_line_on_the_first_page(world, admin):
    write_vitals(world.folder, "serve", {"at": world.now(), "children": {"partner": {"pid": 7, "starts": 1}}})
    write_vitals(world.folder, "schedule", {"jobs": {"deliver": {"ended": world.now()}}})
    assert "<summary>All runs: 1 processes, 1 regular jobs</summary>" in admin.get("/").text
    write_vitals(world.folder, "schedule", {"jobs": {"deliver": {"ended": world.now(), "problem": "no answer"}}})
    assert "<summary>" not in admin.get("/").text


def test_the_first_page_says_which_files_differ_from_the_version_in_force(world, admin):
    assert "the files say the same" in text_of(admin.get("/"))
    file = world.folder / "fields.yaml"
    file.write_text(file.read_text(encoding="utf-8") + "# later\n", encoding="utf-8")
    assert "Files that differ from it: fields.yaml." in text_of(admin.get("/"))
    file.write_bytes(b"\xff")
    assert "sudare check says why" in text_of(admin.get("/"))


def test_an_admin_closes_the_doors_of_one_partner_and_opens_them_again(world, admin):
    key = access.make_api_key(world, MINATO, "test")
    portal = create_partner_app(world).test_client()
    ask = lambda: portal.get("/api/v1/deals", headers={"Authorization": f"Bearer {key}"}).status_code  # noqa: E731
    assert ask() == 200
    assert admin.post("/pause", data={"scope": MINATO}, headers=SAME).status_code == 303
    assert ask() == 401
    assert "This partner has no deals" in text_of(admin.get(f"/partners/{MINATO}"))
    admin.post("/resume", data={"scope": MINATO}, headers=SAME)
    assert ask() == 200


def test_an_admin_closes_all_doors_at_once(world, admin):
    admin.post("/pause", data={"scope": "*"}, headers=SAME)
    assert "All partner doors are closed." in text_of(admin.get("/"))
    with world.reading() as tx:
        assert access.paused(tx, identifiers.partner_id("HANBIT"))


def test_only_an_admin_pauses_and_only_from_our_own_page(world, come_in, admin):
    auditor = come_in("auditor")
    assert "Only an administrator" in text_of(auditor.get("/"))
    assert auditor.post("/pause", data={"scope": "*"}, headers=SAME).status_code == 403
    assert admin.post("/pause", data={"scope": "*"}, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert admin.post("/pause", data={"scope": "nobody"}, headers=SAME).status_code == 404
    with world.reading() as tx:
        assert tx.execute(sa.select(schema.pauses)).all() == []


TEMPLATES = Path(__file__).parents[3] / "webhook_app" / "templates" / "console"
COMPUTED = (
    *("report.", "column.", "article.", "basis.", "channel.", "ledger.exact", "ledger.unknown"),
    "closing.",
    "recall_show.",
    "recall_state.",
    *("webhook_state.", "webhook_status."),
    *("waits.parked", "waits.unknown"),
    "role.",
    "nav.",
    "health.",
    "step.",
    "state.",
    "deal.show",
    "deal.limit",
    "deal.no_rule",
    "deal.with_rows",
    "stream.",
    "schema.kind.",
    "checks.state.",
    "checks.ids",
    "checks.counts",
    "checks.as_of",
    "checks.was_equal",
    "object.",
    "calls.for.",
    "calls.why.",
    "plans.state.",
    "plans.has.",
    "plans.not.",
    "plans.failed.",
    "plans.more",
    "plans.less",
    "plans.apply",
    "plans.approve",
    "wider.",
    *("job.", "process."),
    *("released.done.", "released.exact", "released.redacted", "released.approve", "released.withdraw"),
    "rung.",
    "clause.",
    *("policy.look.", "policy.stands", "policy.who", "policy.show", "policy.limit"),
    *("policy.in_effect", "policy.not_in_effect", "policy.apart."),
)


def test_every_sentence_of_the_console_is_used_and_every_one_that_is_used_exists():
    used = set()
    for template in (*TEMPLATES.glob("*.html"), TEMPLATES.parent / "_webhook.html"):
        used |= set(re.findall(r't\("([a-z_.]+)"[,)]', template.read_text(encoding="utf-8")))
        used |= set(re.findall(r"t\('([a-z_.]+)'[,)]", template.read_text(encoding="utf-8")))
    unused = {key for key in WORDS if key not in used and not key.startswith(COMPUTED)}
    assert unused == set()
    assert used - set(WORDS) <= {"sign_in.email"}


def test_every_job_and_every_process_has_a_name_that_people_read():
    rooms = TEMPLATES.parents[2]
    jobs = re.findall(r'Job\(f?"([a-z-]+)', (rooms / "sync" / "schedule.py").read_text(encoding="utf-8"))
    told = {key for key in WORDS if key.startswith(("job.", "process."))}
    assert told == {*(f"job.{name}" for name in jobs), *(f"process.{name}" for name in ("scheduler", *DOORS))}


@pytest.mark.parametrize("key", WORDS)
def test_every_sentence_stands_in_three_languages_with_the_same_blanks(key):
    texts = WORDS[key]
    blanks = {language: set(re.findall(r"{(\w+)}", getattr(texts, language))) for language in LANGUAGES}
    assert all(getattr(texts, language).strip() for language in LANGUAGES)
    assert len({frozenset(names) for names in blanks.values()}) == 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_where_mapping_and_crm_differ_stands_on_the_first_page_and_the_connections_own_with_its_line(
    world, come_in, language
):
    row = {
        "connection": "sf",
        "object": "Opportunity",
        "field": "Amount",
        "kind": "type",
        "label": "Amount",
        "holds": True,
    }
    told = {"place": "mappings/salesforce.yaml:39", "what": "it is `string` in the CRM", "since": world.now()}
    with world.writing() as tx:
        tx.execute(sa.insert(unfiltered.drifts).values(**row, **told))
    browser = come_in(language=language)
    home, page = text_of(browser.get("/")), text_of(browser.get("/connections/sf"))
    assert getattr(WORDS["health.needs admin"], language) in home
    for key in ("schema.title", "schema.kind.type", "schema.holds"):
        assert getattr(WORDS[key], language) in page
    assert home.count("mappings/salesforce.yaml:39") == page.count("mappings/salesforce.yaml:39") == 1
    with world.writing() as tx:
        tx.execute(sa.delete(unfiltered.drifts))
    assert getattr(WORDS["schema.title"], language) not in text_of(browser.get("/connections/sf"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_connection_tells_where_its_crm_sends_notices_when_the_last_came_and_how_many_wait(world, come_in, language):
    (world.folder / ".sudare" / "sf_notices").write_text("a" * 24, encoding="utf-8")
    texts = dict(read_folder(world.folder))
    auth = "client_secret: file:.sudare/sf_client_secret}\n"
    notices = f"{auth}    notices: {{secret: file:.sudare/sf_notices, organization_id: 00D5g000000SudxEAC}}\n"
    browser = come_in(language=language)
    assert getattr(WORDS["notices.title"], language) not in text_of(browser.get("/connections/sf"))
    apply_files(world, {**texts, "sudare.yaml": texts["sudare.yaml"].replace(auth, notices)}, "admin")
    quiet = text_of(browser.get("/connections/sf"))
    assert getattr(WORDS["notices.none"], language) in quiet
    assert f"{world.workspace().serving.partner_url}/notices/sf/SECRET" in quiet
    keep(world, "sf", [Notice(f"k{number}", "Opportunity", str(number)) for number in range(1234)])
    finish(world, "sf", ["k0"], {"k0": "the CRM refuses this id"})
    told = text_of(browser.get("/connections/sf"))
    assert "1,233" in told
    assert getattr(WORDS["notices.waiting"], language) in told
    assert "a" * 24 not in told


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_certificate_stands_on_the_first_page_and_the_connections_own_in_its_zone(world, come_in, language):
    browser = come_in(language=language)
    never = getattr(WORDS["checks.state.never"], language)
    assert text_of(browser.get("/")).count(never) == 4
    stamp = "2026-11-24T17:10:00.000Z"  # ten past two in Tokyo
    objects = ("account", "contact", "opportunity", "relations:OpportunityPartner")
    told = [Check(each, "ids", world.now(), stamp, stamp, 1204, 1204, 3, 3, 2, None) for each in objects]
    note(world, "sf", told)
    page = text_of(browser.get("/connections/sf"))
    assert getattr(WORDS["checks.state.equal"], language) in page
    assert "02:10" in page
    assert "1,204" in page
    failed = Check("contact", "ids", world.now(), stamp, None, 0, 0, 0, 0, 1, "reading Contact: the org is busy")
    note(world, "sf", [failed])
    page = text_of(browser.get("/connections/sf"))
    assert "reading Contact: the org is busy" in page
    assert "02:10" in page, "the last time at which all was equal stays"
    assert getattr(WORDS["checks.state.failed"], language) in text_of(browser.get("/"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_full_reading_shows_how_far_it_is_and_how_long_it_will_take(world, come_in, language):
    browser = come_in(language=language)
    title = getattr(WORDS["progress.title"], language)
    assert title not in text_of(browser.get("/"))
    began = instant(world.clock() - timedelta(minutes=10))
    row = {"connection": "sf", "stream": "opportunities", "shape": "x", "full_began": began, "full_at": world.now()}
    with world.writing() as tx:
        upsert(tx, unfiltered.streams, [{**row, "full_read": 41_200, "full_expected": 103_000}])
    for path in ("/", "/connections/sf"):
        page = text_of(browser.get(path))
        assert title in page
        assert "41,200" in page
        assert "103,000" in page
        assert getattr(WORDS["progress.minutes"], language).format(count=15) in page
        assert 'value="0.4000"' in browser.get(path).text
