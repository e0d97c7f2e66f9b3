"""Two who write at the same time on PostgreSQL: each pair that could tear something, statement by statement."""

from __future__ import annotations

import itertools
import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial

import pytest
import sqlalchemy as sa
from nasty import CONNECTION, PARTNERS, deal_of
from pairs import TIMES, on, our, relate
from proofs.at_once import OTHER
from proofs.rest import come_to_rest

from policies.redaction import MASK
from sync.access import pause
from sync.deciding.project import drain, mark, project
from sync.deciding.settle import settle
from sync.deciding.sought import look_through
from sync.house import House
from sync.projection.reader import Projection
from sync.store.identifiers import partner_id
from sync.store.schema import SORTED_BY, pauses, shares, views
from sync.store.sorting import drop_sorting, make_sorting
from sync.store.unfiltered import mirror, relations
from sync.versions.foreseen import shareable

pytestmark = pytest.mark.postgres


def test_what_two_connections_tell_of_one_partner_at_once_is_all_known_afterwards(pair):
    account = PARTNERS["GOLD"][0]
    pair.worlds[CONNECTION].put("Account", account, Region__c=None)
    pair.pull(pair.one)
    for nda, region in itertools.islice(
        itertools.cycle(itertools.product(("signed", "none"), ("korea", "japan"))), TIMES
    ):
        pair.worlds[CONNECTION].put("Account", account, Nda__c=nda)
        pair.worlds[OTHER].put("Account", account, Region__c=region)
        pair.at_once(partial(pair.pull, pair.one), partial(pair.pull, pair.other, OTHER))
        told = pair.fields("GOLD")
        assert (told["partner.nda"], told["partner.region"]) == (nda, region)


def test_who_is_put_on_a_deal_while_anothers_share_of_it_ends_can_read_it(pair):
    alike = {"Tier__c": "silver", "Agreement__c": "active", "Nda__c": "signed", "Region__c": "korea"}
    for key in ("SILV", "REGI"):
        pair.worlds[CONNECTION].put("Account", PARTNERS[key][0], **alike)
    pair.pull(pair.one)
    for old, new in itertools.islice(itertools.cycle((("SILV", "REGI"), ("REGI", "SILV"))), TIMES):
        relate(pair.one, "D2", old)
        with pair.one.writing() as tx:
            tx.execute(sa.delete(relations).where(*on("D2", old)))
            project(tx, pair.one, [our("D2")])
        pair.at_once(partial(settle, pair.one, CONNECTION), partial(relate, pair.other, "D2", new))
        assert Projection(pair.one, partner_id(old)).deal(deal_of(old, "D2")) is None
        assert Projection(pair.one, partner_id(new)).deal(deal_of(new, "D2")) is not None
        pair.rest()


def test_a_text_that_says_a_name_while_a_partner_takes_it_names_nobody(pair):
    """Nobody sees the text before its commit, which was decided by the names of before."""
    pair.worlds[CONNECTION].put("Account", PARTNERS["PLAT"][0], Name="銀河商事")  # it is not on this deal
    partner = pair.apply(pair.other, "account", PARTNERS["PLAT"][0])
    with ThreadPoolExecutor(1) as beside:
        with pair.one.writing() as tx:
            said = sa.func.replace(mirror.c.fields, "step 2", "銀河商事も提案")
            tx.execute(sa.update(mirror).where(mirror.c.id == our("D2")).values(fields=said))
            project(tx, pair.one, [our("D2")])
            looked = beside.submit(lambda: (partner(), look_through(pair.other)))
            with suppress(TimeoutError):
                looked.result(timeout=1)
        assert looked.result(timeout=60)[1] == 1
    pair.rest()
    assert (
        Projection(pair.one, partner_id("GOLD")).deal(deal_of("GOLD", "D2")).body["deal"]["next_step"]
        == f"{MASK}も提案"
    )


def test_an_older_page_does_not_overwrite_what_a_notice_brought_meanwhile(pair):
    for number in range(TIMES):
        pair.worlds[CONNECTION].put("Opportunity", "D1", Name=f"older {number}")
        older = pair.apply(pair.one, "opportunity", "D1")
        pair.worlds[CONNECTION].put("Opportunity", "D1", Name=f"newer {number}")
        pair.at_once(older, pair.apply(pair.other, "opportunity", "D1"))
        shown = Projection(pair.one, partner_id("GOLD")).deal(deal_of("GOLD", "D1"))
        assert shown is not None
        assert shown.body["deal"]["name"] == f"newer {number}"


def test_an_account_that_becomes_a_partner_while_a_deal_names_it_has_the_deal(pair):
    world = pair.worlds[CONNECTION]
    for number in range(2 * TIMES):
        key, deal = f"NEW{number}", f"N{number}"
        terms = {"Tier__c": "gold", "Agreement__c": "active", "Nda__c": "signed", "Region__c": "japan"}
        world.put("Account", f"A-{key}", Name=key, IsPartner=False, Partner_Code__c=key, **terms)
        pair.apply(pair.one, "account", f"A-{key}")()
        world.put("Account", f"A-{key}", IsPartner=True)
        world.put("Opportunity", deal, **{**world.objects["Opportunity"]["D1"].fields, "PartnerAccountId": f"A-{key}"})
        pair.at_once(pair.apply(pair.one, "account", f"A-{key}"), pair.apply(pair.other, "opportunity", deal))
        pair.pull(pair.one)
        assert Projection(pair.one, partner_id(key)).deal(deal_of(key, deal)) is not None


def test_a_page_of_deals_and_what_is_marked_do_not_wait_for_each_other(pair):
    deals = sorted(("D1", "D2", "D3", "D4"), key=our, reverse=True)
    for number in range(2 * TIMES):
        for deal in deals:
            pair.worlds[CONNECTION].put("Opportunity", deal, Name=f"{deal} {number}")
        with pair.one.writing() as tx:
            mark(tx, shareable(tx))
        pair.at_once(
            pair.apply(pair.one, "opportunity", *deals),
            partial(drain, pair.other),
            partial(_answered, pair.other, deals[number % 4]),  # both wait for it, each with what the other wants next
        )
    assert pair.stage.crossed == 0
    pair.rest()


def _answered(house: House, deal: str) -> None:
    with house.writing() as tx:
        project(tx, house, [our(deal)])


def test_a_partner_that_changes_and_its_deals_that_are_decided_do_not_wait_for_each_other(pair):
    for tier in itertools.islice(itertools.cycle(("silver", "gold")), TIMES):
        for key in ("GOLD", "REGI", "SILV"):
            pair.worlds[CONNECTION].put("Account", PARTNERS[key][0], Tier__c=tier)
        for customer in ("C1", "C2", "C3"):
            pair.worlds[CONNECTION].put("Account", customer, Name=f"{customer} {tier}")
        pair.apply(pair.one, "account", "C1", "C2", "C3")()  # marks: all partners are to be told
        pair.at_once(pair.apply(pair.one, "account", "A-GOLD", "A-REGI", "A-SILV"), partial(drain, pair.other))
        pair.rest()
    assert pair.stage.crossed == 0


def test_no_view_is_made_of_half_a_commit(pair):
    """One commit renames a customer and gives a partner a higher tier: nobody sees the old name at that tier."""
    look = sa.create_engine(pair.one.engine.url, isolation_level="SERIALIZABLE")
    viewed = sa.and_(views.c.deal_id == shares.c.deal_id, views.c.digest == shares.c.view)
    body = sa.select(views.c.body).join(shares, viewed)
    body = body.where(shares.c.partner_id == partner_id("GOLD"), shares.c.deal_id == our("D1"))
    found: list[tuple[str, str]] = []

    def seen() -> None:
        with look.connect() as tx:
            shown = json.loads(tx.execute(body).scalar_one())
        found.append((shown["account"]["name"], shown["shown"]["deal.close"]))

    pair.seen.append(seen)
    customer = str(pair.worlds[CONNECTION].objects["Opportunity"]["D1"].fields["AccountId"])
    for number in range(TIMES):
        pair.worlds[CONNECTION].put("Account", "A-GOLD", Tier__c="silver")
        pair.worlds[CONNECTION].put("Account", customer, Name=f"before {number}")
        pair.pull(pair.one)
        found.clear()
        pair.worlds[CONNECTION].put("Account", customer, Name=f"after {number}")
        pair.worlds[CONNECTION].put("Account", "A-GOLD", Tier__c="gold")
        pair.at_once(pair.apply(pair.one, "account", "A-GOLD", customer), *[partial(_answered, pair.other, "D1")] * 3)
        come_to_rest(pair.one)
        seen()
        assert set(found) <= {(f"before {number}", "quarter"), (f"after {number}", "month")}
        assert found[-1] == (f"after {number}", "month")
    look.dispose()


def test_two_first_loads_that_begin_and_end_at_once_drop_and_make_the_indexes_once(pair):
    with pair.one.writing() as tx:
        tx.exec_driver_sql("delete from shares")
        tx.exec_driver_sql("update streams set loaded = false")
    names = {str(index.name) for index in SORTED_BY}
    for _ in range(TIMES // 2):
        pair.at_once(partial(drop_sorting, pair.one), partial(drop_sorting, pair.other))
        pair.at_once(partial(make_sorting, pair.one), partial(make_sorting, pair.other))
        assert {str(each["name"]) for each in sa.inspect(pair.one.engine).get_indexes("shares")} >= names


def test_two_people_who_close_all_doors_at_once_have_closed_them(pair):
    for _ in range(TIMES):
        pair.at_once(partial(pause, pair.one, "*", "sato"), partial(pause, pair.other, "*", "admin"))
        with pair.one.reading() as tx:
            assert len(tx.execute(sa.select(pauses)).all()) == 1
        with pair.one.writing() as tx:
            tx.execute(sa.delete(pauses))
