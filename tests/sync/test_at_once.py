"""Two who write at the same time on PostgreSQL: each pair that could tear something, statement by statement."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

import pytest
import sqlalchemy as sa
from agreed import put_in_force
from demo_house import copy_database as _copy
from nasty import CONNECTION, KEY, PARTNERS, START, deal_of, first_deal, first_world
from proofs.at_once import BEGUN, OTHER, other_world
from proofs.rest import check_rest, come_to_rest
from proofs.stepped import Stepped
from proofs.test_unshared import POLICY
from worlds import Clock, World, WorldConnector

from policies.redaction import MASK
from sync.access import pause
from sync.actions.answers import STATES
from sync.actions.support_log import say
from sync.deciding.project import drain, mark, project
from sync.deciding.settle import settle
from sync.deciding.sought import look_through
from sync.house import House, open_engine
from sync.ledger.erasure import erase
from sync.ledger.tables import ledger
from sync.ledger.verify import verify
from sync.mirror.mirrored import apply_records
from sync.mirror.pull import begin, pull
from sync.projection.reader import Projection
from sync.store.identifiers import internal_id, partner_id
from sync.store.schema import SORTED_BY, applied, partners, pauses, shares, views
from sync.store.sorting import drop_sorting, make_sorting
from sync.store.unfiltered import mirror, relations
from sync.versions.applied import apply_files, files_in_force
from sync.versions.foreseen import shareable
from sync.versions.plans import Overtaken, Plan, apply_plan, make_plan

pytestmark = pytest.mark.postgres
SEED = 20_261_126
TIMES = 8  # orders in which each pair is played


@dataclass
class Pair:
    """Two processes over one database and two CRMs, and what lets them write at once."""

    one: House
    other: House
    worlds: dict[str, World]
    clock: Clock
    stage: Stepped
    seen: list[Callable[[], object]]  # asked after each commit

    def at_once(self, *works: Callable[[], object]) -> None:
        """Play these beside each other."""
        self.clock.move(minutes=1)
        self.stage.run(works)

    def pull(self, house: House, connection: str = CONNECTION) -> None:
        assert not pull(house, connection, WorldConnector(self.worlds[connection])).problems

    def rest(self) -> None:
        come_to_rest(self.one)
        check_rest(self.one)

    def apply(self, house: House, object: str, *ids: str) -> Callable[[], object]:
        """Carries in these records as the first CRM has them now, whenever it is called."""
        reading = begin(house, CONNECTION, WorldConnector(self.worlds[CONNECTION]))
        records = reading.connector.read_records(reading.readers[object].stream, ids)
        return partial(apply_records, house, reading, object, records)

    def fields(self, key: str) -> dict[str, object]:
        with self.one.reading() as tx:
            return json.loads(tx.execute(sa.select(partners.c.fields).where(partners.c.key == key)).scalar_one())


@pytest.fixture(scope="module")
def read_once(postgresql_server, tmp_path_factory) -> dict[str, World]:
    """A database over two CRMs that have been read once, to be copied; and the two."""
    folder, worlds = tmp_path_factory.mktemp("pair"), {CONNECTION: first_world(), OTHER: other_world()}
    house = House(open_engine(_copy(postgresql_server, "sudare_template", "pair"), folder), folder, KEY, Clock(START))
    apply_files(house, {name: text for name, text in BEGUN.items() if not name.startswith("documents")}, "admin")
    for connection, world in worlds.items():
        assert not pull(house, connection, WorldConnector(world)).problems
    house.engine.dispose()
    return worlds


@pytest.fixture
def pair(read_once, postgresql_server, tmp_path) -> Iterator[Pair]:
    """Two processes over a database of this test's own."""
    clock, url = Clock(START), _copy(postgresql_server, "pair", "paired")
    one, other = (House(open_engine(url, tmp_path), tmp_path, KEY, clock) for _ in range(2))
    seen: list[Callable[[], object]] = []
    stage = Stepped((one.engine, other.engine), SEED, lambda: [look() for look in seen], within=1)
    yield Pair(one, other, {name: world.copy() for name, world in read_once.items()}, clock, stage, seen)
    stage.close()
    one.engine.dispose()
    other.engine.dispose()


def our(deal: str) -> str:
    return internal_id(CONNECTION, "opportunity", deal)


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
        _relate(pair.one, "D2", old)
        with pair.one.writing() as tx:
            tx.execute(sa.delete(relations).where(*_on("D2", old)))
            project(tx, pair.one, [our("D2")])
        pair.at_once(partial(settle, pair.one, CONNECTION), partial(_relate, pair.other, "D2", new))
        assert Projection(pair.one, partner_id(old)).deal(deal_of(old, "D2")) is None
        assert Projection(pair.one, partner_id(new)).deal(deal_of(new, "D2")) is not None
        pair.rest()


def _on(deal: str, key: str) -> tuple[sa.ColumnElement[bool], ...]:
    return relations.c.connection == CONNECTION, relations.c.row == f"{deal}-{PARTNERS[key][0]}"


def _relate(house: House, deal: str, key: str) -> None:
    account = PARTNERS[key][0]
    row = {"connection": CONNECTION, "source": "OpportunityPartner", "row": f"{deal}-{account}", "deal": deal}
    with house.writing() as tx:
        tx.execute(sa.delete(relations).where(*_on(deal, key)))
        tx.execute(sa.insert(relations).values(**row, account=account, role="Referral"))
        project(tx, house, [our(deal)])


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


def test_a_person_who_is_erased_while_her_deals_are_decided_is_named_nowhere_afterwards(pair):
    for number in range(2 * TIMES):
        with pair.one.reading() as tx:
            shown = tx.execute(sa.select(views.c.people).where(views.c.deal_id == our("D1"))).scalars()
            person = next(id for people in shown for ids in json.loads(people or "{}").values() for id in ids)
        pair.worlds[CONNECTION].put("Opportunity", "D1", Name=f"renamed {number}")
        with pair.one.writing() as tx:
            tx.execute(sa.delete(relations).where(*_on("D4", "SILV")))
            project(tx, pair.one, [our("D4")])
        settle(pair.one, CONNECTION, decided=True)
        pair.at_once(
            partial(erase, pair.one, person),
            pair.apply(pair.other, "opportunity", "D1"),
            partial(_relate, pair.other, "D4", "SILV"),
        )
        pair.rest()
        with pair.one.reading() as tx:
            assert not tx.execute(sa.select(views.c.deal_id).where(views.c.people.contains(person))).all()


def test_of_two_who_put_versions_in_force_at_once_the_second_is_told_that_his_plan_is_overtaken(pair):
    files = dict(files_in_force(pair.one))
    narrower = (("as: quarter", "as: year"), ("[deal.close, account.industry]", "[deal.close]"))
    with_one, with_other = ({**files, POLICY: files[POLICY].replace(*each, 1)} for each in narrower)
    for _ in range(TIMES // 4):
        plans = make_plan(pair.one, with_one, "sato"), make_plan(pair.one, with_other, "admin")
        done: list[int] = []

        def put(house: House, plan: Plan, done: list[int] = done) -> None:
            try:
                done.append(apply_plan(house, plan).version or 0)
            except Overtaken:
                done.append(0)

        pair.at_once(partial(put, pair.one, plans[0]), partial(put, pair.other, plans[1]))
        assert sorted(done)[0] == 0 < sorted(done)[1]
        assert pair.one.workspace().files == pair.other.workspace().files
        with pair.one.reading() as tx:
            versions = tx.execute(sa.select(applied.c.version).order_by(applied.c.version)).scalars().all()
        assert versions == list(range(1, len(versions) + 1))
        put_in_force(pair.one, files, "sato")


def test_what_two_workers_give_a_partner_at_once_is_on_record_once_and_the_chain_has_no_fork(pair):
    for number in range(TIMES // 2):
        pair.clock.move(days=1)
        pair.worlds[CONNECTION].put("Contact", f"N{number}", AccountId="C2", Name=f"Somebody {number}", Title="CIO")
        pair.pull(pair.one)

        def give(house: House, key: str) -> None:
            projection = Projection(house, partner_id(key), "api")
            projection.deals()
            assert projection.delivery is not None
            projection.delivery.write()

        with pair.one.reading() as tx:
            before = tx.execute(sa.select(sa.func.count()).select_from(ledger)).scalar_one()
        works = [partial(give, house, key) for key in ("GOLD", "SILV") for house in (pair.one, pair.other)]
        pair.at_once(*works, pair.apply(pair.other, "contact", f"N{number}"))
        assert verify(pair.one).fault is None
        with pair.one.reading() as tx:
            after = tx.execute(sa.select(sa.func.count()).select_from(ledger)).scalar_one()
        for work in works:
            work()
        with pair.one.reading() as tx:
            assert tx.execute(sa.select(sa.func.count()).select_from(ledger)).scalar_one() == after > before


def test_of_two_answers_to_an_invitation_at_once_one_stands_and_the_other_hears_of_it(pair):
    own = partner_id("REGI")
    for number in range(TIMES // 2):
        deal = f"I{number}"
        pair.worlds[CONNECTION].put("Opportunity", deal, **{**first_deal(1), "Name": deal})
        pair.worlds[CONNECTION].relate(deal, PARTNERS["REGI"][0], "Referral")
        pair.pull(pair.one)
        heard: dict[str, str] = {}

        def answer(house: House, kind: str, deal: str = deal, heard: dict[str, str] = heard) -> None:
            heard[kind] = say(house, own, None, kind, deal_of("REGI", deal)).status

        pair.at_once(partial(answer, pair.one, "deal.accepted"), partial(answer, pair.other, "deal.declined"))
        assert sorted(heard.values()) == ["refused", "stored"]
        (kind,) = (kind for kind, status in heard.items() if status == "stored")
        shown = Projection(pair.one, own).deal(deal_of("REGI", deal))
        assert shown is not None
        assert shown.state == STATES[kind]
