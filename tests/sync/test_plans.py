"""Plans: what a change would show whom, the second person, what narrows at once, and what is hidden meanwhile."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
from agreed import masking, second_person

from config.folder import read_folder
from sync.access import Person, add_person, end_person
from sync.board import explain
from sync.deciding.project import drain, project
from sync.projection.shown import Query, Updating
from sync.store import schema, unfiltered
from sync.store.identifiers import partner_id
from sync.versions.applied import NeedsApproval, apply_files, files_in_force
from sync.versions.plans import NotYours, Overtaken, apply_plan, approve, find_plan, list_plans, make_plan, refuse
from sync.versions.samples import live_samples, samples

ROOT = Path(__file__).parents[2]
EXACT_FOR_GOLD = (
    "when: {partner.tier: [gold, platinum]}, fields: [deal.amount], as: band",
    "when: {partner.tier: [gold, platinum]}, fields: [deal.amount], as: exact",
)
SHOWS_EXACT = ("5M-20M JPY", "12M JPY")
NO_REGION = ("deal.stage, deal.region,", "deal.stage,")


def drained(life):
    while drain(life.house):
        pass


def in_force(life):
    with life.house.reading() as tx:
        return life.house.in_force(tx)


def without_time(deal):
    return {**deal, "changed_at": ""}


def test_a_plan_says_who_would_newly_see_what_and_changes_nothing_for_anybody(life):
    before = life.found("MINATO", "sf", "YOKOHAMA_CORE")
    plan = make_plan(life.house, life.draft(policy=EXACT_FOR_GOLD, trial=SHOWS_EXACT), "admin")
    assert [(each.field, each.before, each.after) for each in plan.told.situations if each.up] == [
        ("deal.amount", "band", "exact")
    ]
    (amount,) = (each for each in plan.told.cells if each.field == "deal.amount")
    assert amount.opens > 0 == amount.closes
    assert plan.told.partners >= 1 <= plan.told.deals
    assert plan.told.waits
    assert life.found("MINATO", "sf", "YOKOHAMA_CORE") == before
    assert in_force(life).version == 1


def test_samples_are_the_very_bytes_that_the_partner_reads_before_and_after(life):
    plan = make_plan(life.house, life.draft(policy=EXACT_FOR_GOLD, trial=SHOWS_EXACT), "admin")
    shown = list(samples(life.house, plan))
    assert 0 < len(shown) <= 20
    first = {each.before.id: each for each in shown}
    (public, sample) = next(iter(first.items()))
    keys = {row.name: row.key for row in life.rows(schema.partners)}
    key = keys[sample.partner]
    assert life.projection(key).deal(public).json == sample.before.json
    approve(life.house, plan, second_person(life.house, "admin"))
    drained(life)
    assert without_time(life.projection(key).deal(public).body) == without_time(sample.after.body)


def test_what_lets_partners_see_more_waits_for_another_person_who_may_approve(life_on_sqlite):
    life = life_on_sqlite
    files = life.draft(policy=EXACT_FOR_GOLD, trial=SHOWS_EXACT)
    with pytest.raises(NeedsApproval, match="second person"):
        apply_files(life.house, files, "admin")
    plan = make_plan(life.house, files, "admin")
    assert apply_plan(life.house, plan).version is None
    maker = _person(life, "admin@aozora.example")
    auditor = add_person(life.house, "auditor@aozora.example", "監査", role="auditor")
    unnamed = add_person(life.house, "somebody@aozora.example", "誰か", role="approver")
    partner = Person("x", partner_id("MINATO"), "sato@minato.example", "佐藤", "partner", "ja")
    for person in (maker, auditor, unnamed, partner):
        with pytest.raises(NotYours):
            approve(life.house, plan, person)
    assert in_force(life).version == 1
    assert approve(life.house, plan, _person(life, "approver@aozora.example")).version == 2
    row = life.rows(schema.applied, version=2)[0]
    assert (row.by, row.approved_by, row.plan) == ("admin", "approver@aozora.example", plan.id)
    assert find_plan(life.house, plan.id).state == "applied"


def test_what_narrows_is_in_force_at_once_and_what_widens_when_it_is_approved(life):
    files = life.draft(policy=EXACT_FOR_GOLD, trial=SHOWS_EXACT)
    files = {**files, **life.draft(policy=NO_REGION)}
    before = life.deal("MINATO", "sf", "YOKOHAMA_CORE")
    plan = make_plan(life.house, files, "admin")
    assert plan.told.splits
    with masking():
        done = apply_plan(life.house, plan)
    assert (done.version, bool(done.waits), in_force(life).bound) == (2, True, 1)
    for _ in range(2):  # as it was masked, and as it was written anew
        now = life.deal("MINATO", "sf", "YOKOHAMA_CORE")
        assert "region" not in now["deal"]
        assert now["deal"]["amount"] == before["deal"]["amount"]
        drained(life)
    told = explain(life.house, partner_id("MINATO"), life.id("sf", "YOKOHAMA_CORE"), "deal.amount")
    assert now["shown"]["deal.amount"] == told[0].rung
    left = find_plan(life.house, plan.id)  # who approves reads what would still happen, not what has happened
    assert {each.field for each in plan.told.cells} == {"deal.amount", "deal.region"}
    assert [(each.field, each.opens > 0, each.closes) for each in left.told.cells] == [("deal.amount", True, 0)]
    assert {each.field for each in left.told.situations} == {"deal.amount"}
    assert left.told.files == plan.told.files
    approve(life.house, left, second_person(life.house, "admin"))
    assert in_force(life).bound is None
    drained(life)
    after = life.deal("MINATO", "sf", "YOKOHAMA_CORE")
    assert "region" not in after["deal"]
    assert after["shown"]["deal.amount"] == "exact"


def test_what_was_refused_is_never_seen_and_what_narrows_stays_narrow(life_on_sqlite):
    life = life_on_sqlite
    life.draft(policy=EXACT_FOR_GOLD, trial=SHOWS_EXACT)
    plan = make_plan(life.house, life.draft(policy=NO_REGION), "admin")
    apply_plan(life.house, plan)
    approver = second_person(life.house, "admin")
    refuse(life.house, plan, approver, "prices stay bands this year")
    drained(life)
    assert in_force(life).bound == 1
    refused = find_plan(life.house, plan.id)
    assert (refused.state, refused.decided_by, refused.reason) == (
        "refused",
        approver.email,
        "prices stay bands this year",
    )
    with pytest.raises(Overtaken):
        approve(life.house, refused, approver)
    assert life.deal("MINATO", "sf", "YOKOHAMA_CORE")["shown"]["deal.amount"] == "band"


def test_a_version_bound_by_a_bound_one_shows_no_more_than_any_of_them(life_on_sqlite):
    life = life_on_sqlite
    life.draft(policy=EXACT_FOR_GOLD, trial=SHOWS_EXACT)
    apply_plan(life.house, make_plan(life.house, life.draft(policy=NO_REGION), "admin"))
    drained(life)
    files = life.draft(policy=("deal.stage, account.name,", "deal.stage,"))
    done = apply_plan(life.house, make_plan(life.house, files, "admin"))
    assert (done.version, in_force(life).bound) == (3, 2)
    drained(life)
    now = life.deal("MINATO", "sf", "YOKOHAMA_CORE")
    assert now["shown"]["deal.amount"] == "band"
    assert "region" not in now["deal"]


def test_switching_four_eyes_off_and_naming_another_approver_are_wider_too(life_on_sqlite):
    life = life_on_sqlite
    one = life.draft(settings=("vendor_users:\n", "four_eyes: false\nvendor_users:\n"))
    with pytest.raises(NeedsApproval, match="four_eyes"):
        apply_files(life.house, one, "admin")
    two = life.draft(
        settings=(
            "four_eyes: false\nvendor_users:\n",
            "vendor_users:\n  third@aozora.example: {name: 三, role: admin}\n",
        )
    )
    with pytest.raises(NeedsApproval, match=r"third@aozora\.example could newly approve"):
        apply_files(life.house, two, "admin")
    assert len(life.rows(schema.applied)) == 1


def test_where_nobody_else_could_agree_a_second_person_can_be_named_and_nothing_else(life_on_sqlite):
    life = life_on_sqlite
    second = "  approver@aozora.example: {name: 承認 担当, role: approver}\n"
    assert life.apply(settings=(second, "")) == 2
    with pytest.raises(NeedsApproval, match=r"deal\.amount"):
        apply_files(life.house, life.draft(policy=EXACT_FOR_GOLD, trial=SHOWS_EXACT), "admin")
    life.draft(policy=EXACT_FOR_GOLD[::-1], settings=("vendor_users:\n", "vendor_users:\n" + second))
    trial = life.house.folder / "policies/tests/deal-share.test.yaml"
    trial.write_text(files_in_force(life.house)["policies/tests/deal-share.test.yaml"], encoding="utf-8")
    assert apply_files(life.house, read_folder(life.house.folder), "admin") == 3


def test_nobody_is_made_no_approver_by_another_spelling_of_the_same_address(life_on_sqlite):
    life = life_on_sqlite
    second = "  approver@aozora.example: {name: 承認 担当, role: approver}\n"
    again = "  Approver@aozora.example: {name: 承認 担当, role: auditor}\n"
    with pytest.raises(NeedsApproval, match=r"approver@aozora\.example could approve no more"):
        apply_files(life.house, life.draft(settings=(second, second + again)), "admin")
    assert life.rows(schema.people, email="approver@aozora.example", partner_id=None)[0].role == "approver"


def test_whose_account_was_ended_stays_out_and_agrees_to_nothing_whatever_is_applied_next(life_on_sqlite):
    life = life_on_sqlite
    approver = _person(life, "approver@aozora.example")
    assert end_person(life.house, approver.email, None)
    apply_files(life.house, life.draft(policy=NO_REGION), "admin")
    assert life.rows(schema.people, id=approver.id)[0].ended is not None
    assert add_person(life.house, approver.email, approver.name, role="approver").id == approver.id
    apply_files(life.house, life.draft(policy=("deal.stage, account.name,", "deal.stage,")), "admin")
    assert life.rows(schema.people, id=approver.id)[0].ended is None


def test_with_four_eyes_off_one_person_does_both_and_the_version_says_who(life_on_sqlite):
    life = life_on_sqlite
    assert life.apply(settings=("vendor_users:\n", "four_eyes: false\nvendor_users:\n")) == 2
    assert apply_files(life.house, life.draft(policy=EXACT_FOR_GOLD, trial=SHOWS_EXACT), "admin") == 3
    assert life.rows(schema.applied, version=3)[0].approved_by is None


def test_a_plan_is_refused_where_it_would_do_something_else_by_now(life_on_sqlite):
    life = life_on_sqlite
    files = life.draft(policy=EXACT_FOR_GOLD, trial=SHOWS_EXACT)
    plan = make_plan(life.house, files, "admin")
    with life.house.writing() as tx:  # who is gold has changed meanwhile
        tx.execute(sa.update(schema.partners).values(fields="{}"))
    with pytest.raises(Overtaken):
        approve(life.house, plan, second_person(life.house, "admin"))
    assert in_force(life).version == 1


def test_another_version_overtakes_the_plans_that_wait(life_on_sqlite):
    life = life_on_sqlite
    plan = make_plan(life.house, life.draft(policy=EXACT_FOR_GOLD, trial=SHOWS_EXACT), "admin")
    life.apply(policy=NO_REGION)
    assert find_plan(life.house, plan.id).state == "overtaken"
    assert list_plans(life.house, waiting=True) == []


def test_an_edit_decides_anew_only_the_deals_that_it_touches(life_on_sqlite):
    life = life_on_sqlite
    rule = "{name: None abroad, when: {deal.region: {is_not: japan}}, fields: [deal.region], at_most: hide"
    rule = f"limit:\n  - {rule}, tells_partner: that it is abroad}}\n"
    plan = make_plan(life.house, life.draft(policy=("limit:\n", rule)), "admin")
    with masking():
        apply_plan(life.house, plan)
    marked = {row.deal_id for row in life.rows(unfiltered.marks)}
    assert 0 < len(marked) == plan.told.rewritten < len({row.deal_id for row in life.rows(schema.shares)})
    drained(life)
    assert {row.deal_id for row in life.rows(schema.views, version=2)} == marked


def test_a_list_is_not_sorted_or_searched_by_what_is_hidden_until_it_is_sorted_anew(life_on_sqlite):
    life = life_on_sqlite
    files = life.draft(policy=("fields: [deal.name, deal.stage, deal.region,", "fields: [deal.name, deal.region,"))
    with masking():
        apply_plan(life.house, make_plan(life.house, files, "admin"))
    partner = life.projection("MINATO")
    for query in (Query(sort="deal.stage"), Query(filters={"deal.stage": "proposal"}), Query(search="proposal")):
        with pytest.raises(Updating):
            partner.deals(query)
    with pytest.raises(Updating):
        partner.facets("deal.stage")
    assert all("stage" not in deal.body["deal"] for deal in partner.deals().deals)
    assert partner.deals(Query(sort="deal.name")).deals
    drained(life)
    assert partner.deals(Query(sort="deal.stage")).deals
    assert not partner.deals(Query(filters={"deal.stage": "proposal"})).deals


def test_a_deal_that_a_version_takes_away_is_gone_with_its_commit(life):
    assert life.names("MINATO")
    others = ("agreement: active", "agreement: expired")
    apply_plan(life.house, make_plan(life.house, life.draft(policy=others, trial=others), "admin"))
    assert life.names("MINATO") == set()


def test_a_field_that_was_never_read_is_not_held_and_samples_are_read_live_and_kept_nowhere(life_on_sqlite):
    life = life_on_sqlite
    show = "fields: [deal.name, deal.stage, deal.region,"
    files = life.draft(
        fields=("{class: notes, ladder: text}", "{class: basics, ladder: plain}"),
        policy=(show, show.replace("deal.region,", "deal.region, deal.next_step,")),
    )
    plan = make_plan(life.house, files, "admin")
    (cells,) = (each for each in plan.told.cells if each.field == "deal.next_step")
    assert not cells.held
    (again,) = (each for each in plan.told.again if each.connection == "sf" and each.object == "opportunity")
    assert "deal.next_step" in again.fields
    assert again.records > 0 < again.calls
    kept = life.rows(unfiltered.mirror)
    shown = list(live_samples(life.house, plan, life.opened))
    assert 0 < len(shown) <= 20
    assert any(each.after.body["deal"]["next_step"] for each in shown)
    assert life.rows(unfiltered.mirror) == kept
    assert all("next_step" not in (row.fields or "") for row in kept)


def test_a_version_is_switched_only_when_nobody_is_deciding_under_the_one_before(life):
    plan = make_plan(life.house, life.draft(policy=NO_REGION), "admin")
    with ThreadPoolExecutor(1) as other:
        with life.house.writing() as tx:
            project(tx, life.house, [life.id("sf", "YOKOHAMA_CORE")])
            switching = other.submit(apply_plan, life.house, plan)
            with pytest.raises(TimeoutError):
                switching.result(timeout=0.5)
            assert life.house.in_force(tx).version == 1
        assert switching.result(timeout=30).version == 2
    assert "region" not in life.deal("MINATO", "sf", "YOKOHAMA_CORE")["deal"]


def test_nothing_but_the_one_gate_stores_a_version():
    found = {
        path.relative_to(ROOT).as_posix()
        for folder in ("sync", "webhook_app", "config")
        for path in (ROOT / folder).rglob("*.py")
        if re.search(r"insert\((schema\.)?applied\)|update\((schema\.)?applied\)", path.read_text(encoding="utf-8"))
    }
    # The rehearsal's database is in memory, and nobody's.
    assert found == {"sync/versions/applied.py", "sync/rehearsal.py"}
    named = {
        path.relative_to(ROOT).as_posix()
        for folder in ("sync", "webhook_app")
        for path in (ROOT / folder).rglob("*.py")
        if "put_in_force(" in path.read_text(encoding="utf-8")
    }
    assert named == {"sync/versions/applied.py", "sync/versions/plans.py"}


def _person(life, email):
    row = life.rows(schema.people, email=email)[0]
    return Person(row.id, row.partner_id, row.email, row.name, row.role, row.language)
