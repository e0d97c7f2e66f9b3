"""What is in force: versions, what each makes unreadable, drift, refusals, documents kept by hash."""

from __future__ import annotations

import hashlib

import pytest
import sqlalchemy as sa
from agreed import masking
from demo_house import NAMES

from config.folder import read_folder
from mapping.model import Broken
from sync.access import add_person, make_link, peek_link, person_of_session, use_link
from sync.deciding.project import drain, mark
from sync.house import NotApplied
from sync.projection.reader import Projection
from sync.projection.shown import Updating
from sync.store import schema, unfiltered
from sync.store.documents import NotKept, open_kept
from sync.store.identifiers import partner_id
from sync.versions.applied import apply_files, drift, files_in_force
from sync.versions.foreseen import shareable


def drained(life):
    while drain(life.house):
        pass


def floor(life):
    with life.house.reading() as tx:
        return life.house.in_force(tx).floor


def test_what_a_version_takes_away_is_hidden_from_the_commit_on_and_the_rest_stays_readable(life):
    before, names = life.deal("MINATO", "sf", "YOKOHAMA_CORE"), life.names("MINATO")
    assert "region" in before["deal"]
    feed = life.feed("MINATO")
    with masking():
        assert life.apply(policy=("deal.stage, deal.region,", "deal.stage,")) == 2
    hidden = life.deal("MINATO", "sf", "YOKOHAMA_CORE")  # no view has been written anew yet
    assert {row.version for row in life.rows(schema.views)} == {1}
    assert "region" not in hidden["deal"]
    assert "deal.region" not in hidden["shown"]
    assert life.names("MINATO") == names
    told = Projection(life.house, partner_id("MINATO")).feed().events
    assert all("deal.region" not in event["deal"]["shown"] for event in told if "deal" in event)
    drained(life)
    after = life.deal("MINATO", "sf", "YOKOHAMA_CORE")
    assert {**after, "changed_at": ""} == {**hidden, "changed_at": ""}
    assert life.feed("MINATO")[: len(feed)] == feed
    assert not life.rows(schema.narrowed)


def test_what_few_deals_lose_or_gain_is_written_in_the_commit_that_switches(life):
    before = life.deal("MINATO", "sf", "YOKOHAMA_CORE")
    exact = ("fields: [deal.amount], as: band", "fields: [deal.amount], as: exact")
    life.apply(policy=exact, trial=("5M-20M JPY", "12M JPY"))
    wider = life.deal("MINATO", "sf", "YOKOHAMA_CORE")
    assert wider["shown"] == {**before["shown"], "deal.amount": "exact"}
    assert not life.rows(unfiltered.marks)
    life.apply(policy=("deal.stage, deal.region,", "deal.stage,"))
    shown = life.deal("MINATO", "sf", "YOKOHAMA_CORE")["shown"]
    assert shown == {name: rung for name, rung in wider["shown"].items() if name != "deal.region"}
    assert not life.rows(unfiltered.marks)
    assert not life.rows(schema.narrowed)


def test_deals_of_a_first_load_are_left_to_its_own_round_by_a_new_version(new_life):
    new_life.pull("sf")
    with new_life.house.writing() as tx:  # as if the load had broken off
        loads = unfiltered.streams.c.stream == "opportunities"
        tx.execute(sa.update(unfiltered.streams).where(loads).values(loaded=False))
        mark(tx, shareable(tx))
    marked = new_life.rows(unfiltered.marks)
    assert marked
    new_life.apply(policy=("deal.stage, deal.region,", "deal.stage,"))
    assert new_life.rows(unfiltered.marks) == marked
    assert "region" not in new_life.deal("MINATO", "sf", "YOKOHAMA_CORE")["deal"]


def test_a_version_that_shows_a_partner_the_same_is_no_news_for_it(life):
    before, feed = life.found("HANBIT", "sf", "YOKOHAMA_CORE"), life.feed("HANBIT")
    life.apply(policy=("as: band", "as: exact"), trial=("5M-20M JPY", "12M JPY"))
    drained(life)
    assert life.found("HANBIT", "sf", "YOKOHAMA_CORE") == before
    assert life.feed("HANBIT") == feed
    assert life.deal("MINATO", "sf", "YOKOHAMA_CORE")["deal"]["amount"] == {"amount": "12347619", "currency": "JPY"}


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("writeback", "に{kind}しました。", "に{kind}されました。"),
        ("documents", "Price list", "Prices"),
    ],
)
def test_what_partners_see_of_deals_stays_readable_when_other_files_change(life_on_sqlite, file, old, new):
    before = life_on_sqlite.found("MINATO", "sf", "YOKOHAMA_CORE")
    assert life_on_sqlite.apply(**{file: (old, new)}) == 2
    assert floor(life_on_sqlite) == 1
    assert life_on_sqlite.found("MINATO", "sf", "YOKOHAMA_CORE") == before


def test_a_remark_or_another_wording_of_the_same_takes_nothing_from_partners(life_on_sqlite):
    before = life_on_sqlite.found("MINATO", "sf", "YOKOHAMA_CORE")
    for name in ("settings", "fields", "salesforce", "policy"):
        text = (life_on_sqlite.house.folder / NAMES[name]).read_text(encoding="utf-8")
        life_on_sqlite.apply(**{name: (text, f"# a remark\n{text}")})
    life_on_sqlite.apply(policy=("when: {partner.agreement: active}", "when: \"partner.agreement == 'active'\""))
    life_on_sqlite.apply(settings=("name: 管理 担当", "name: 別の担当"))
    assert len(life_on_sqlite.rows(schema.applied)) == 7
    assert floor(life_on_sqlite) == 1
    assert life_on_sqlite.found("MINATO", "sf", "YOKOHAMA_CORE") == before


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("settings", "fiscal_year_starts: 4", "fiscal_year_starts: 1"),
        ("fields", "[1M, 5M, 20M, 100M]", "[5M, 20M, 100M]"),
        ("policy", "expire_after_days: 30", "expire_after_days: 31"),
        ("salesforce", "otherwise: influenced", "otherwise: resell"),
    ],
)
def test_every_file_that_decides_raises_the_floor(life_on_sqlite, file, old, new):
    life_on_sqlite.apply(**{file: (old, new)})
    assert floor(life_on_sqlite) == 2
    with pytest.raises(Updating):
        life_on_sqlite.names("MINATO")


def test_the_first_month_of_the_fiscal_year_moves_the_quarters_that_partners_read(life_on_sqlite):
    assert life_on_sqlite.deal("HANBIT", "sf", "YOKOHAMA_CORE")["deal"]["close"] == {"fiscal_year": 2026, "quarter": 4}
    life_on_sqlite.apply(settings=("fiscal_year_starts: 4", "fiscal_year_starts: 1"))
    drained(life_on_sqlite)
    assert life_on_sqlite.deal("HANBIT", "sf", "YOKOHAMA_CORE")["deal"]["close"] == {"fiscal_year": 2027, "quarter": 1}


def test_a_field_that_is_mapped_anew_is_read_from_the_crm_before_it_is_shown(life):
    life.apply(
        fields=(
            "  deal.next_step:    {class: notes, ladder: text}",
            "  deal.probability: {class: basics, ladder: plain}",
        ),
        salesforce=("    deal.next_step: NextStep\n", "    deal.probability: {from: Probability, type: number}\n"),
        policy=("fields: [deal.name, deal.stage,", "fields: [deal.probability, deal.name, deal.stage,"),
    )
    drained(life)
    assert life.deal("MINATO", "sf", "YOKOHAMA_CORE")["deal"].get("probability") is None
    life.reopen()
    life.round("sf")
    assert life.deal("MINATO", "sf", "YOKOHAMA_CORE")["deal"]["probability"] == 50


def test_files_that_differ_from_what_is_in_force_are_named(life_on_sqlite):
    house = life_on_sqlite.house
    assert drift(house, read_folder(house.folder)) == []
    (house.folder / "policies" / "extra.yaml").write_text("policy: extra\n", encoding="utf-8")
    path = house.folder / "writeback.yaml"
    path.write_text(path.read_text() + "# a remark\n", encoding="utf-8")
    assert drift(house, read_folder(house.folder)) == ["policies/extra.yaml", "writeback.yaml"]
    assert "policies/extra.yaml" not in files_in_force(house)


def test_a_policy_test_that_fails_keeps_the_version_out(life_on_sqlite):
    with pytest.raises(Broken) as broken:
        life_on_sqlite.apply(policy=("as: band", "as: exact"), fields=("[1M, 5M, 20M, 100M]", "[1M, 3M, 20M, 100M]"))
    assert any("Gold sees a band" in str(each) for each in broken.value.problems)
    assert len(life_on_sqlite.rows(schema.applied)) == 1
    assert life_on_sqlite.deal("MINATO", "sf", "YOKOHAMA_CORE") is not None


def test_broken_files_keep_the_version_out_with_every_problem(life_on_sqlite):
    with pytest.raises(Broken) as broken:
        life_on_sqlite.apply(policy=("deal.stage, deal.region", "deal.stgae, deal.regoin"))
    assert len(broken.value.problems) >= 2
    assert len(life_on_sqlite.rows(schema.applied)) == 1


def test_before_the_first_version_everything_says_what_to_do(new_life):
    with new_life.house.writing() as tx:
        tx.execute(schema.applied.delete())
    with pytest.raises(NotApplied, match="sudare apply"):
        new_life.pull("sf")
    with pytest.raises(NotApplied, match="sudare apply"):
        drift(new_life.house, {})


def test_a_vendor_user_whom_the_file_names_no_more_is_out_with_the_commit(life):
    house = life.house
    named = add_person(house, "admin@aozora.example", "管理 担当", role="admin")
    unnamed = add_person(house, "auditor@aozora.example", "監査 担当", role="auditor")
    doors = {}
    for person in (named, unnamed):
        doors[person] = use_link(house, make_link(house, person.id))[0], make_link(house, person.id)
    life.apply(settings=("admin@aozora.example", "other@aozora.example"))
    session, link = doors[named]
    assert person_of_session(house, session) is None
    assert peek_link(house, link) is None
    session, link = doors[unnamed]
    assert person_of_session(house, session).email == "auditor@aozora.example"
    assert peek_link(house, link) is not None
    life.apply(settings=("other@aozora.example", "Admin@aozora.example"))
    assert add_person(house, "admin@aozora.example", "管理 担当", role="admin").id == named.id
    assert person_of_session(house, use_link(house, make_link(house, named.id))[0]) is not None


def test_documents_are_kept_as_they_were_when_they_were_applied(life_on_sqlite):
    house = life_on_sqlite.house
    (document,) = [each for each in house.workspace().documents if each.id == "price-list"]
    content = (house.folder / document.file).read_bytes()
    assert document.sha256 == hashlib.sha256(content).hexdigest()
    assert open_kept(house, document.sha256) == content
    (house.folder / document.file).write_bytes(content + b"%")
    assert open_kept(house, document.sha256) == content
    apply_files(house, read_folder(house.folder), "admin")
    (newer,) = [each for each in house.workspace().documents if each.id == "price-list"]
    assert newer.version != document.version
    assert open_kept(house, newer.sha256) == content + b"%"


def test_a_document_whose_bytes_were_tampered_with_is_not_served(life_on_sqlite):
    house = life_on_sqlite.house
    document = house.workspace().documents[0]
    (house.folder / ".sudare" / "documents" / document.sha256).write_bytes(b"forged")
    with pytest.raises(NotKept, match="sudare apply"):
        open_kept(house, document.sha256)


def test_a_document_opens_for_whom_the_policy_says(life_on_sqlite):
    def titles(partner):
        return {each.id for each in life_on_sqlite.projection(partner).documents()}

    assert titles("MINATO") == {"price-list", "product-guide"}
    assert titles("HANBIT") == {"product-guide"}
    assert titles("TSUBASA") == {"product-guide"}  # registered, without an NDA


def test_a_vendor_user_has_the_role_that_the_version_in_force_gives_from_its_commit_on(life):
    person = add_person(life.house, "admin@aozora.example", "管理 担当", role="admin")
    session, _, _ = use_link(life.house, make_link(life.house, person.id))
    assert person_of_session(life.house, session).role == "admin"
    life.apply(settings=("{name: 管理 担当, role: admin}", "{name: 管理 担当, role: auditor}"))
    assert person_of_session(life.house, session).role == "auditor"
    life.apply(
        settings=("vendor_users:\n", "vendor_users:\n  second@aozora.example: {name: 承認 担当, role: approver}\n")
    )
    assert {row.email for row in life.rows(schema.people, ended=None, role="approver")} == {
        "approver@aozora.example",
        "second@aozora.example",
    }
