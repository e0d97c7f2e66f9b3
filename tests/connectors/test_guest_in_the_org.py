"""A guest in the org: no call that the CRM's limits do not allow, write-back first, and no org that slows another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from virtual import START, ByHand, Together

from connectors.base import ConnectionSettings, Connector, NeedsAdmin, Stream, TryAgain
from connectors.budget import LOOK_AGAIN, PATIENCE, ROOM, Budget, Held, Time, Window, spends
from connectors.registry import open_connection
from connectors.sandbox.limits import Limits
from connectors.sandbox.server import Sandbox

TEN_MINUTES = 600
DEALS = {
    "hubspot": Stream("opportunities", "deals", ("dealname",)),
    "salesforce": Stream("opportunities", "Opportunity", ("Name",)),
}
NOTES = {"hubspot": "shared_with_partners", "salesforce": "Shared_With_Partners__c"}


@pytest.fixture
def crm(sandbox: Sandbox) -> Iterator[Sandbox]:
    """The sandbox with limits of a test's own."""
    clock = sandbox.crm.clock
    sandbox.faults.clear()
    yield sandbox
    sandbox.crm.clock = clock
    sandbox.faults.clear()


def opened(crm: Sandbox, org: str, budget: Budget, **limits: int) -> Connector:
    """A connection to one of the sandbox's orgs under this budget."""
    if org == "hubspot":
        options: dict[str, Any] = {"base_url": crm.hubspot_url, "auth": {"flow": "token", "token": "env:SECRET"}}
        secret = crm.hubspot_token
    else:
        auth = {"flow": "client_credentials", "client_id": crm.client_id, "client_secret": "env:SECRET"}
        options = {"login_url": crm.salesforce_url, "ca_file": str(crm.ca_file), "auth": auth}
        secret = crm.client_secret
    return open_connection(ConnectionSettings(org, org, {**options, "limits": limits}, lambda _: secret, "", budget))


def refused(crm: Sandbox) -> int:
    """How many calls the sandbox refused for a limit."""
    return sum(call.status in (403, 429) for call in crm.calls)


def a_deal(crm: Sandbox, org: Any) -> str:
    return crm.crm.rows(org, DEALS[org].object)[0].id


def again_and_again(time: Time, task: Callable[[], object], every: float, until: float, done: list[float]) -> None:
    """Offer a piece of work each so many seconds; how long each took that was done."""
    due = time.clock()
    while due < until:
        time.sleep(max(0.001, due - time.clock()))
        begun = time.clock()
        try:
            task()
            done.append(time.clock() - begun)
        except TryAgain as busy:
            time.sleep(busy.after.total_seconds() if busy.after else 1.0)
        due = max(due + every, time.clock()) if time.clock() - due > 30 else due + every


def test_ten_minutes_of_tenfold_overload_meet_no_refusal_and_write_back_gets_through(crm: Sandbox) -> None:
    crm.limits.hubspot_calls, crm.limits.hubspot_searches = 100, 5  # 10 calls a second
    world = Together()
    crm.crm.clock = world.moment
    budget = Budget(world.time)
    # Two connectors of one connection, as two jobs of a process have: they share one budget.
    one, other = opened(crm, "hubspot", budget), opened(crm, "hubspot", budget)
    deal, calls = a_deal(crm, "hubspot"), crm.calls
    calls.clear()
    written: list[float] = []
    read: list[float] = []
    compared: list[float] = []
    searched: list[float] = []

    def offer(task: Callable[[], object], a_second: float, done: list[float]) -> Callable[[], None]:
        return lambda: again_and_again(world.time, task, 1 / a_second, TEN_MINUTES, done)

    world.run(
        [
            offer(lambda: one.write_fields("deals", {deal: {NOTES["hubspot"]: "みなと"}}), 4, written),
            *(offer(lambda: other.read_records(DEALS["hubspot"], [deal]), 20, read) for _ in range(3)),
            *(offer(lambda: one.walk(DEALS["hubspot"]), 12, compared) for _ in range(2)),
            offer(lambda: other.count(DEALS["hubspot"], []), 12, searched),
        ]
    )
    one.close()
    other.close()
    assert refused(crm) == 0
    # What was offered is 100 calls a second where 10 are allowed; all that was to be written got through at once.
    assert len(written) >= 4 * TEN_MINUTES - 5
    assert sorted(written)[int(0.99 * len(written))] <= 2.0
    assert len(written) + len(read) + len(compared) >= 0.8 * 10 * TEN_MINUTES  # and the limit is used
    assert len(read) > len(compared)
    assert len(searched) <= 5 * TEN_MINUTES


def test_another_process_under_the_same_key_is_seen_in_the_answers_and_given_room(crm: Sandbox) -> None:
    crm.limits.hubspot_calls = 100
    world = Together()
    crm.crm.clock = world.moment
    deal = a_deal(crm, "hubspot")
    crm.calls.clear()
    done: list[float] = []
    # Two processes: each with a budget of its own, each asking for all that the key has.
    processes = [opened(crm, "hubspot", Budget(world.time)) for _ in range(2)]

    def asks(connector: Connector) -> Callable[[], None]:
        return lambda: again_and_again(
            world.time, lambda: connector.read_records(DEALS["hubspot"], [deal]), 0.1, 60, done
        )

    world.run([asks(each) for each in processes])
    for each in processes:
        each.close()
    assert refused(crm) == 0
    assert len(done) >= 0.6 * 10 * 60


@pytest.mark.parametrize("org", ["salesforce", "hubspot"])
def test_of_the_day_only_our_share_is_used_and_its_last_calls_are_write_backs(crm: Sandbox, org: Any) -> None:
    setattr(crm.limits, f"{org}_daily", 100)
    time = ByHand()
    crm.crm.clock = lambda: START + timedelta(seconds=time.now)
    connector, deal = opened(crm, org, Budget(time.time), daily_share=50), a_deal(crm, org)
    crm.calls.clear()
    with pytest.raises(TryAgain, match="our share of the day's calls is used up") as held:
        list(iter(lambda: connector.read_records(DEALS[org], [deal]), None))
    assert held.value.after is not None
    assert held.value.after.total_seconds() == pytest.approx(LOOK_AGAIN)
    standing = connector.health()
    assert standing.used_calls == 50 * ROOM["pull"]
    assert set(standing.held) == {"pull", "reconciliation"}
    (receipt,) = connector.write_fields(DEALS[org].object, {deal: {NOTES[org]: "みなと"}})
    assert receipt.problem is None
    assert refused(crm) == 0
    # A restart forgets what was used; the first answer tells it again.
    later = opened(crm, org, Budget(time.time), daily_share=50)
    with pytest.raises(TryAgain, match="our share"):
        list(iter(lambda: later.read_records(DEALS[org], [deal]), None))
    # One call in a quarter of an hour looks whether the day is over.
    before = len(crm.calls)
    assert before <= 50
    time.move(LOOK_AGAIN)
    later.read_records(DEALS[org], [deal])
    with pytest.raises(TryAgain, match="our share"):
        later.read_records(DEALS[org], [deal])
    assert len(crm.calls) == before + 1
    time.move(24 * 3600)
    later.read_records(DEALS[org], [deal])
    assert later.health().held == {}
    connector.close()
    later.close()


@pytest.mark.parametrize("org", ["salesforce", "hubspot"])
def test_an_org_that_says_its_day_is_used_up_is_asked_once_an_hour_by_all_together(crm: Sandbox, org: Any) -> None:
    time = ByHand()
    connector, deal = opened(crm, org, Budget(time.time)), a_deal(crm, org)
    connector.read_records(DEALS[org], [deal])
    crm.faults.exhaust_daily_limit()
    crm.calls.clear()
    kinds = Counter[str]()
    for _ in range(3):
        for task in (lambda: connector.read_records(DEALS[org], [deal]), lambda: connector.walk(DEALS[org])):
            with pytest.raises(TryAgain) as busy:
                task()
            assert busy.value.after is not None
            assert busy.value.after <= timedelta(hours=1)
            kinds["alone" if "left alone" in str(busy.value) else "told"] += 1
    assert kinds == {"told": 1, "alone": 5}
    assert len(crm.calls) == 1
    crm.faults.clear()
    time.move(3600)
    assert connector.read_records(DEALS[org], [deal])
    connector.close()


def test_too_many_long_calls_at_once_are_given_seconds_and_not_an_hour(crm: Sandbox) -> None:
    crm.limits.salesforce_long_calls = 2
    time = ByHand()
    crm.crm.clock = lambda: START + timedelta(seconds=time.now)
    connector, deal = opened(crm, "salesforce", Budget(time.time)), a_deal(crm, "salesforce")
    connector.read_records(DEALS["salesforce"], [deal])
    for call in (-1, -2):  # somebody else's
        crm.limits.begin(call, "/services/data/v63.0/query")
    time.move(21)
    with pytest.raises(TryAgain, match="ConcurrentRequests") as busy:
        connector.read_records(DEALS["salesforce"], [deal])
    assert busy.value.after == timedelta(seconds=15)
    crm.limits.end(-1)
    time.move(15)
    assert connector.read_records(DEALS["salesforce"], [deal])
    crm.limits.end(-2)
    connector.close()


@pytest.mark.parametrize("org", ["salesforce", "hubspot"])
def test_a_vendor_may_give_us_fewer_calls_than_the_crm_does(crm: Sandbox, org: Any) -> None:
    world = Together()
    crm.crm.clock = world.moment
    connector, deal = opened(crm, org, Budget(world.time), calls_per_second=2), a_deal(crm, org)
    done: list[float] = []
    task = lambda: connector.read_records(DEALS[org], [deal])  # noqa: E731 - one line says it
    world.run([lambda: again_and_again(world.time, task, 0.05, 60, done)])
    connector.close()
    assert 90 <= len(done) <= 150


def test_an_oauth_token_ends_after_half_an_hour_and_is_renewed_before_it_is_refused(crm: Sandbox) -> None:
    time = ByHand()
    crm.crm.clock = lambda: START + timedelta(seconds=time.now)
    auth = {"flow": "refresh_token", "client_id": "env:ID", "client_secret": "env:KEY", "refresh_token": "env:R"}
    secrets = {"env:ID": crm.client_id, "env:KEY": crm.client_secret, "env:R": crm.hubspot_refresh_token}
    options = {"base_url": crm.hubspot_url, "auth": auth}
    settings = ConnectionSettings("hs", "hubspot", options, secrets.__getitem__, "", Budget(time.time))
    connector, deal = open_connection(settings), a_deal(crm, "hubspot")
    crm.calls.clear()
    for _ in range(24):  # two hours
        time.move(300)
        connector.read_records(DEALS["hubspot"], [deal])
    assert connector.health().used_calls is None  # an OAuth app is not told of the day
    assert not [call for call in crm.calls if call.status == 401]
    assert sum("/oauth/" in call.path for call in crm.calls) == 4
    connector.close()


def test_fifty_threads_whose_app_was_disconnected_make_one_token_call(crm: Sandbox) -> None:
    auth = {"flow": "refresh_token", "client_id": "env:ID", "client_secret": "env:KEY", "refresh_token": "env:R"}
    secrets = {"env:ID": crm.client_id, "env:KEY": crm.client_secret, "env:R": "not-good-any-more"}
    options = {"base_url": crm.hubspot_url, "auth": auth}
    connector = open_connection(ConnectionSettings("hs", "hubspot", options, secrets.__getitem__))
    crm.calls.clear()

    def asks(_: int) -> None:
        with pytest.raises(NeedsAdmin, match="connect the app again"):
            connector.describe("companies")

    with ThreadPoolExecutor(50) as pool:
        list(pool.map(asks, range(100)))
    assert sum("/oauth/" in call.path for call in crm.calls) == 1
    secrets["env:R"] = crm.hubspot_refresh_token  # a person connects it again
    assert connector.describe("companies").fields
    connector.close()


class Worker:
    """Somebody who makes calls for a purpose."""

    def __init__(self, budget: Budget) -> None:
        self.budget = budget

    @spends("write-back")
    def write(self) -> Held | None:
        """One call."""
        return self.budget.take()

    def read(self) -> Held | None:
        """One call."""
        return self.budget.take()

    @spends("reconciliation")
    def compare(self) -> Held | None:
        """One call."""
        return self.budget.take()


@given(
    st.lists(st.sampled_from(["write", "read", "compare"]), max_size=80),
    st.integers(1, 12),
    st.integers(1, 20),
    st.floats(0, 1),
)
def test_in_no_span_do_more_calls_go_out_than_are_allowed(kinds: list[str], most: int, span: int, gap: float) -> None:
    time, passed = ByHand(), list[float]()
    budget = Budget(time.time)
    budget.allow("calls", most, span)
    worker = Worker(budget)
    for kind in kinds:
        held = getattr(worker, kind)()
        if held is None:
            passed.append(time.now)
        else:
            assert held.seconds > 0
            time.move(held.seconds)
        time.move(gap)
    assert all(sum(start <= at < start + span - 1e-6 for at in passed) <= most for start in passed)


def test_what_must_wait_longer_than_some_seconds_is_told_so_instead() -> None:
    time = ByHand()
    budget = Budget(time.time)
    budget.rest(PATIENCE + 1)
    held = budget.take()
    assert held == Held("refused", PATIENCE + 1)
    time.move(2)
    assert budget.take() is None  # and a shorter wait is waited out
    assert time.now == 1000.0 + PATIENCE + 1


def test_the_crms_count_of_others_ends_with_its_window() -> None:
    window = Window(10, 10.0)
    window.note_left(2, 10, now=0.0)
    assert window.pause(0.0, 1.0) == 0.0
    for _ in range(2):
        window.add(0.0)
    assert window.pause(1.0, 1.0) == 9.0
    assert window.pause(10.0, 1.0) == 0.0


def test_the_sandbox_counts_a_rolling_day_for_salesforce_and_a_calendar_day_for_hubspot() -> None:
    now = [START]
    limits = Limits(lambda: now[0])
    limits.salesforce_daily = limits.hubspot_daily = 2
    for _ in range(2):
        assert limits.take_salesforce() == limits.take_hubspot(search=False) == ""
    assert limits.take_salesforce() == "TotalRequests Limit exceeded."
    assert limits.take_hubspot(search=False) == "DAILY"
    now[0] = START.replace(hour=0) + timedelta(days=1)  # past midnight, fifteen hours later
    assert limits.take_hubspot(search=False) == ""
    assert limits.take_salesforce() != ""
    now[0] = START + timedelta(days=1)
    assert limits.take_salesforce() == ""
