"""A vendor's processes and two partners' at work beside each other on one PostgreSQL, over two CRMs."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

import sqlalchemy as sa
from agreed import put_in_force
from nasty import CONNECTION, KEY, PARTNERS, START, deal_of, first_world, let_people_in
from proofs.rest import check_rest, come_to_rest
from proofs.stepped import DEADLOCK, Stepped
from proofs.test_unshared import BOTH, DEALS, GUIDE, OPEN, POLICY, Partner, Play
from worlds import Clock, World, WorldConnector

from connectors.base import Notice
from sync.access import pause, resume
from sync.actions.kinds import Statement
from sync.actions.support_log import record
from sync.actions.write_back import write_back
from sync.deciding.project import come_due, drain
from sync.deciding.settle import settle
from sync.house import House, open_engine
from sync.mirror.notices import keep
from sync.mirror.pull import pull
from sync.mirror.reread import reread
from sync.store.identifiers import partner_id
from sync.store.migrate import migrate
from sync.versions.applied import apply_files
from sync.versions.plans import Overtaken

OTHER = "erp"


def _with_other(files: dict[str, str]) -> dict[str, str]:
    """The same workspace over a second CRM, which has the same partners."""
    before, after = files["sudare.yaml"].split("vendor_users:")
    crm = before[before.index("  crm:\n") :]
    settings = f"{before}{crm.replace('  crm:', f'  {OTHER}:')}vendor_users:{after}"
    mapping = files["mappings/crm.yaml"].replace("connection: crm", f"connection: {OTHER}")
    return {**files, "sudare.yaml": settings, f"mappings/{OTHER}.yaml": mapping}


BEGUN = _with_other({**OPEN})
CLOSED = {
    **BEGUN,
    POLICY: BEGUN[POLICY].replace("deal.sealed: false}", "deal.sealed: false, partner.region: korea}", 1),
}
YEARS = {
    **BEGUN,
    POLICY: BEGUN[POLICY].replace("fields: [deal.close], as: month", "fields: [deal.close], as: exact", 1),
}
VERSIONS = (BEGUN, CLOSED, YEARS)


def other_world() -> World:
    """The second CRM: fewer deals, whose partners are those of the first."""
    world = first_world()
    for deal in ("D4", "D5"):
        world.drop("Opportunity", deal)
    return world


class Crowd:
    """Who is at work, and how much came of it."""

    def __init__(self, play: Play, jobs: House, url: str) -> None:
        self.play, self.jobs, self.other, self.url = play, jobs, other_world(), url
        self.told: Counter[str] = Counter()

    def does(self, what: str, work: Callable[[], object]) -> Callable[[], None]:
        """One work. What PostgreSQL ends because two waited for each other is begun again, as by the next run."""

        def do() -> None:
            for _ in range(5):
                try:
                    work()
                except sa.exc.OperationalError as problem:
                    if getattr(problem.orig, "sqlstate", None) != DEADLOCK:
                        raise
                    self.told["begun again"] += 1
                    self.told[f"crossed: {what}"] += 1
                    continue
                self.told[what] += 1
                return

        return do

    def round(self, connection: str, world: World, chance: random.Random) -> Callable[[], None]:
        """CRM users change something, and a round reads it."""
        for _ in range(chance.randint(1, 3)):
            self.edit(world, chance)

        def work() -> None:
            pulled = pull(self.jobs, connection, WorldConnector(world, size=3))
            assert not pulled.problems, pulled.problems

        return self.does(f"round of {connection}", work)

    def edit(self, world: World, chance: random.Random) -> None:
        """One change by a CRM user."""
        key, deal = chance.choice(BOTH), chance.choice(DEALS)
        account, play = PARTNERS[key][0], self.play
        known = world.objects["Account"][account].fields
        chance.choice(
            (
                lambda: world.unrelate(deal, account),
                lambda: world.unrelate(deal, account),
                lambda: world.relate(deal, account, "Referral"),
                lambda: world.relate(deal, account, "Referral"),
                lambda: world.put("Opportunity", deal, Name=play.sign(), NextStep=play.sign(), Message__c=play.sign()),
                lambda: world.put("Opportunity", deal, Name=play.sign(), AccountId=chance.choice(("C1", "C2"))),
                lambda: world.put("Opportunity", deal, Sealed__c=chance.random() < 0.5),
                lambda: world.put("Account", account, Tier__c=chance.choice(("gold", "silver", None))),
                lambda: world.put("Account", account, Nda__c=chance.choice(("signed", "none", None))),
                lambda: world.put("Account", account, IsPartner=not known["IsPartner"]),
                lambda: world.put("Account", "C1", Industry=play.sign()),
                lambda: world.put("Contact", "P1", Name=chance.choice(("田中 一郎", "佐藤 二郎"))),
                lambda: world.drop("Opportunity", deal),
            )
        )()

    def notices(self, chance: random.Random) -> Callable[[], None]:
        """The first CRM tells that some records changed, and they are read again."""
        world = self.play.world
        named = [("Opportunity", deal) for deal in DEALS] + [("Account", PARTNERS[key][0]) for key in BOTH]
        chosen = chance.sample(named, 3)
        for object, id in chosen[:1]:
            if object == "Opportunity":
                world.put(object, id, Name=self.play.sign(), StageName=chance.choice(("won", "proposal")))
        keys = [f"n{chance.random()}" for _ in chosen]

        def work() -> None:
            keep(self.jobs, CONNECTION, [Notice(key, *each) for key, each in zip(keys, chosen, strict=True)])
            reread(self.jobs, CONNECTION, WorldConnector(world, size=3))

        return self.does("notices", work)

    def beside(self, chance: random.Random) -> Callable[[], None]:
        """What goes on beside the rounds: answers, jobs, people of the vendor."""
        key, deal = chance.choice(BOTH), chance.choice(DEALS)
        own, house = partner_id(key), self.jobs
        kind, name = chance.choice(("deal.accepted", "deal.declined", "comment")), f"s{chance.random()}"
        said = Statement(f"api:{own}", name, kind, house.clock(), own, None, deal_of(key, deal), {"text": "はい"}, name)

        def settled() -> None:
            for connection in (CONNECTION, OTHER):
                settle(house, connection, decided=True)

        def drained() -> None:
            while drain(house):
                pass

        def due() -> None:
            self.play.clock.move(hours=chance.choice((1, 30, 200)))
            come_due(house)

        def switched() -> None:
            files = chance.choice([each for each in VERSIONS if each != dict(house.workspace().files)])
            with suppress(Overtaken):
                put_in_force(house, files, "sato")

        return self.does(
            *chance.choice(
                (
                    ("answer", partial(record, house, said)),
                    ("answer", partial(record, house, said)),
                    ("answer", partial(record, house, said)),
                    ("settle", settled),
                    ("settle", settled),
                    ("drain", drained),
                    ("come due", due),
                    ("switch", switched),
                    ("pause", lambda: pause(house, own, "sato")),
                    ("pause", lambda: pause(house, own, "sato")),
                    *(("resume", lambda: resume(house, own, "sato")),) * 3,
                    ("write back", lambda: write_back(house, CONNECTION, WorldConnector(self.play.world))),
                )
            )
        )


def crowds(url: str, folder: Path, seed: int) -> Iterator[Crowd]:
    """A crowd that is at rest, turn for turn; all of a turn were at work beside each other."""
    chance, clock = random.Random(seed), Clock(START)  # noqa: S311 - a seed tells the same story again
    door = House(open_engine(url, folder), folder, KEY, clock)
    jobs = replace(door, engine=open_engine(url, folder))
    (folder / "documents").mkdir(exist_ok=True)
    (folder / "documents" / "guide.pdf").write_bytes(GUIDE)
    migrate(door)
    apply_files(door, BEGUN, "admin@aozora.example")
    play = Play(door, clock)
    crowd = Crowd(play, jobs, url)
    for connection, world in ((CONNECTION, play.world), (OTHER, crowd.other)):
        for deal in DEALS:
            world.put("Opportunity", deal, Name=play.sign(), NextStep=play.sign())
        assert not pull(jobs, connection, WorldConnector(world)).problems
    let_people_in(door)
    readers = [Partner(play, key) for key in BOTH]
    stage = Stepped((door.engine, jobs.engine), seed, play.now)
    try:
        while True:
            clock.move(minutes=1)
            works = [each.reads(chance) for each in readers]
            works += [crowd.round(CONNECTION, play.world, chance), crowd.round(OTHER, crowd.other, chance)]
            works += [crowd.notices(chance), crowd.beside(chance), crowd.beside(chance)]
            stage.run(works)
            crowd.told.update({"crossed": stage.crossed, "waited": stage.waits})
            stage.crossed = stage.waits = 0
            clock.move(seconds=1)
            come_to_rest(jobs)
            check_rest(jobs)
            yield crowd
    finally:
        stage.close()
        play.look.dispose()
        jobs.engine.dispose()
        door.engine.dispose()
