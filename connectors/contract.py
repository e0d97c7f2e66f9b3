"""The tests that every connector inherits: what connectors.base promises, shown on a CRM that runs."""

# ruff: noqa: S101 - these are tests, shipped so that a connector from elsewhere can inherit them

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from itertools import count
from typing import Any

import pytest

from connectors.base import (
    Checkpoint,
    Connector,
    CrmError,
    LoggedAction,
    NeedsAdmin,
    Receipt,
    Record,
    Stream,
    TryAgain,
    Unknown,
)

STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
MOST_PAGES = 500
_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Story:
    """What a connector's tests say of their sandbox: one org, what to read of it, and how its calls are named.

    The verbs on the records are the sandbox's own (`sandbox.crm`, `sandbox.faults`).
    """

    org: str  # as `sandbox.crm` names it
    streams: tuple[Stream, ...]  # every stream that the connector can read, `relations` too
    partners: tuple[str, ...]  # accounts of all partners
    deal: str  # a deal with a customer, an owner, and `partner` on it
    partner: str
    newcomer: str  # a partner that is not on that deal
    label: str  # the role or label under which it is put on
    name: str  # the deal's field with its name
    note: str  # a text field of the deal that we may write
    action: str  # the object that a logged action is
    owner: str  # a CRM user who can own a logged action
    reading: str  # part of every call that reads deals
    writing: str  # part of every call that logs a new action
    every: str  # part of every call of this wire
    secrets: tuple[str, ...]  # must never be in a text

    def stream(self, name: str) -> Stream:
        """The stream of that name."""
        return next(one for one in self.streams if one.name == name)


def read_round(
    connector: Connector, stream: Stream, since: Checkpoint | None, partners: Sequence[str] = ()
) -> tuple[list[Record], Checkpoint, frozenset[str]]:
    """One whole round: all its records, the checkpoint after it, the accounts it is complete for."""
    records: list[Record] = []
    complete: frozenset[str] = frozenset()
    for _ in range(MOST_PAGES):
        page = connector.read(stream, since, partners=partners)
        records += page.records
        complete |= page.complete_for
        since = page.checkpoint
        if not page.more:
            return records, since, complete
    raise AssertionError(f"{stream.name}: the round does not end")


def living(records: Sequence[Record]) -> dict[str, Record]:
    """The records by id as they are after all of these, without the deleted ones."""
    latest = {record.id: record for record in records}
    return {id: record for id, record in latest.items() if not record.deleted}


def action_for(story: Story, *, key: str = "", body: str = "Opened to page 4 of 12", **more: Any) -> LoggedAction:
    """A logged action on the story's deal, under a key of its own."""
    number = next(_numbers)
    key = key or f"contract-{story.org}-{number}"
    return LoggedAction(
        key=key,
        record_id=story.deal,
        record_kind="opportunity",
        subject=more.pop("subject", f"資料を開きました / 문서를 열었습니다 {key}"),
        body=body,
        done_at=datetime(2026, 11, 3, 1, 2, 3, tzinfo=UTC),
        day=date(2026, 11, 3),
        **more,
    )


def problems_of(write: Callable[[], list[Receipt]]) -> list[CrmError | None]:
    """What became of a write, whether it raised or said so on its receipts."""
    try:
        return [receipt.problem for receipt in write()]
    except CrmError as problem:
        return [problem]


class ConnectorContract:
    """Inherit this, and give the fixtures `connector`, `sandbox` and `story`."""

    @pytest.fixture(autouse=True)
    def _without_faults(self, sandbox: Any) -> Any:
        sandbox.faults.clear()
        yield
        sandbox.faults.clear()

    # Reading

    def test_every_stream_is_read_in_full_with_stamps_that_compare_as_text(
        self, connector: Connector, story: Story
    ) -> None:
        for stream in story.streams:
            records, checkpoint, _ = read_round(connector, stream, None, story.partners)
            assert living(records), stream.name
            assert all(STAMP.fullmatch(record.stamp) for record in records), stream.name
            assert STAMP.fullmatch(checkpoint.stamp)
            assert checkpoint.until == ""

    def test_every_asked_field_can_be_read(self, connector: Connector, sandbox: Any, story: Story) -> None:
        stream = story.stream("opportunities")
        records, _, _ = read_round(connector, stream, None)
        deal = living(records)[story.deal]
        values = {field: connector.getter(stream, field)(deal.fields) for field in stream.fields}
        assert values[story.name] == sandbox.crm.find(story.org, stream.object, story.deal).fields[story.name]
        assert sum(value not in (None, "", []) for value in values.values()) > 2

    def test_a_round_brings_what_a_rep_changed_since_the_last(
        self, connector: Connector, sandbox: Any, story: Story
    ) -> None:
        stream = story.stream("opportunities")
        _, checkpoint, _ = read_round(connector, stream, None)
        sandbox.crm.edit(story.org, stream.object, story.deal, {story.name: f"改訂 {next(_numbers)}"})
        records, _, _ = read_round(connector, stream, checkpoint)
        now = sandbox.crm.find(story.org, stream.object, story.deal).fields[story.name]
        assert connector.getter(stream, story.name)(living(records)[story.deal].fields) == now

    def test_a_deleted_deal_comes_back_deleted_and_a_restored_one_alive(
        self, connector: Connector, sandbox: Any, story: Story
    ) -> None:
        stream = story.stream("opportunities")
        _, checkpoint, _ = read_round(connector, stream, None)
        sandbox.crm.delete(story.org, stream.object, story.deal)
        try:
            records, checkpoint, _ = read_round(connector, stream, checkpoint)
            gone = [record for record in records if record.id == story.deal]
            assert gone
            assert gone[-1].deleted
            assert gone[-1].fields is None
        finally:
            sandbox.crm.restore(story.org, stream.object, story.deal)
        records, _, _ = read_round(connector, stream, checkpoint)
        assert story.deal in living(records)

    def test_records_asked_by_id_come_in_order_and_the_gone_ones_deleted(
        self, connector: Connector, story: Story
    ) -> None:
        stream = story.stream("opportunities")
        records, _, _ = read_round(connector, stream, None)
        ids = [*list(living(records))[::-1], _unknown_id(story.deal)]
        found = connector.read_records(stream, ids)
        assert [record.id for record in found] == ids
        assert [record.deleted for record in found] == [False] * (len(ids) - 1) + [True]
        assert connector.read_records(stream, []) == []

    def test_a_partner_put_on_a_deal_is_seen_and_a_partner_taken_off_is_gone(
        self, connector: Connector, sandbox: Any, story: Story
    ) -> None:
        stream, put_on = story.stream("relations"), (story.deal, story.newcomer)
        first, checkpoint, _ = read_round(connector, stream, None, story.partners)
        assert (story.deal, story.partner) in _pairs(first)
        sandbox.crm.add_partner(story.org, story.deal, story.newcomer, story.label)
        try:
            second, checkpoint, _ = read_round(connector, stream, checkpoint, story.partners)
            assert put_on in _pairs(second)
        finally:
            sandbox.crm.remove_partner(story.org, story.deal, story.newcomer)
        third, _, complete = read_round(connector, stream, checkpoint, story.partners)
        ended = {record.id for record in third if record.deleted}
        known = {id for id, one in living(second).items() if (one.fields.deal, one.fields.account) == put_on}
        assert put_on not in _pairs(third)
        assert story.newcomer in complete or (known and known <= ended)

    def test_an_object_is_described_with_its_fields(self, connector: Connector, story: Story) -> None:
        shape = connector.describe(story.stream("opportunities").object)
        assert story.name in shape.fields
        assert shape.fields[story.name].label
        assert any(field.options for field in shape.fields.values())

    # Writing

    def test_an_action_stands_once_under_its_key_and_its_text_can_be_updated(
        self, connector: Connector, sandbox: Any, story: Story
    ) -> None:
        action = action_for(story, owner_id=story.owner, body="4 ページまで")
        (receipt,) = connector.log_actions([action])
        assert receipt == Receipt(action.key, receipt.id)
        assert receipt.id
        later = replace(action, body="7 ページまで", receipt=receipt.id)
        assert connector.log_actions([later]) == [Receipt(action.key, receipt.id)]
        (entry,) = _entries(sandbox, story, action)
        assert "7 ページまで" in entry.body
        assert "4 ページまで" not in entry.body

    def test_one_receipt_per_action_comes_back_in_order(self, connector: Connector, story: Story) -> None:
        actions = [action_for(story) for _ in range(5)]
        receipts = connector.log_actions(actions)
        assert [receipt.key for receipt in receipts] == [action.key for action in actions]
        assert len({receipt.id for receipt in receipts}) == 5
        assert connector.log_actions([]) == []

    def test_an_action_whose_answer_was_lost_is_unknown_and_found_by_its_key(
        self, connector: Connector, sandbox: Any, story: Story
    ) -> None:
        action = action_for(story)
        sandbox.faults.plan(story.writing, mode="after")
        (problem,) = problems_of(lambda: connector.log_actions([action]))
        assert isinstance(problem, Unknown)
        found = connector.find_actions([action, action_for(story)])
        (entry,) = _entries(sandbox, story, action)
        assert found == {action.key: entry.id}

    def test_an_action_that_was_never_sent_is_not_found(self, connector: Connector, sandbox: Any, story: Story) -> None:
        action = action_for(story)
        sandbox.faults.plan(story.writing, mode="reset")
        assert all(problems_of(lambda: connector.log_actions([action])))
        assert connector.find_actions([action]) == {}
        (receipt,) = connector.log_actions([action])
        assert receipt.id
        assert len(_entries(sandbox, story, action)) == 1

    def test_an_action_that_a_crm_user_deleted_stays_deleted(
        self, connector: Connector, sandbox: Any, story: Story
    ) -> None:
        action = action_for(story)
        (receipt,) = connector.log_actions([action])
        sandbox.crm.delete(story.org, story.action, receipt.id)
        again = connector.log_actions([replace(action, body="more", receipt=receipt.id)])
        assert again == [Receipt(action.key, receipt.id)]
        assert _entries(sandbox, story, action) == []

    def test_a_bad_action_does_not_stop_the_others(self, connector: Connector, sandbox: Any, story: Story) -> None:
        good, bad = action_for(story), replace(action_for(story), record_id=_unknown_id(story.deal))
        refused, written = connector.log_actions([bad, good])
        assert refused.id is None
        assert isinstance(refused.problem, CrmError)
        assert not isinstance(refused.problem, TryAgain)
        assert written.id
        assert len(_entries(sandbox, story, good)) == 1

    def test_text_fields_are_written_as_often_as_asked(self, connector: Connector, sandbox: Any, story: Story) -> None:
        object = story.stream("opportunities").object
        for _ in range(2):
            assert connector.write_fields(object, {story.deal: {story.note: "みなと: 金額帯"}}) == [
                Receipt(story.deal, story.deal)
            ]
        assert sandbox.crm.find(story.org, object, story.deal).fields[story.note] == "みなと: 金額帯"

    # When the CRM is in trouble

    def test_an_object_or_field_that_is_not_there_needs_an_admin_and_is_named(
        self, connector: Connector, story: Story
    ) -> None:
        with pytest.raises(NeedsAdmin, match="No_Such_Thing"):
            connector.describe("No_Such_Thing")
        stream = story.stream("opportunities")
        with pytest.raises(NeedsAdmin, match="no_such_field"):
            read_round(connector, replace(stream, fields=(*stream.fields, "no_such_field")), None)

    def test_a_crm_that_stays_busy_means_try_again(self, connector: Connector, sandbox: Any, story: Story) -> None:
        sandbox.faults.plan(story.reading, times=50, status=503)
        with pytest.raises(TryAgain):
            connector.read(story.stream("opportunities"), None)

    def test_a_crm_that_stumbles_once_is_asked_again(self, connector: Connector, sandbox: Any, story: Story) -> None:
        expected, _, _ = read_round(connector, story.stream("opportunities"), None)
        for trouble in ({"status": 503}, {"mode": "half"}, {"mode": "reset"}):
            sandbox.faults.plan(story.reading, times=1, **trouble)
            found, _, _ = read_round(connector, story.stream("opportunities"), None)
            assert set(living(found)) == set(living(expected))

    def test_half_a_page_is_never_taken_for_a_whole_one(self, connector: Connector, sandbox: Any, story: Story) -> None:
        sandbox.faults.plan(story.reading, times=50, mode="half")
        with pytest.raises(TryAgain):
            connector.read(story.stream("opportunities"), None)

    def test_a_token_that_stays_refused_needs_an_admin_and_is_never_printed(
        self, connector: Connector, sandbox: Any, story: Story
    ) -> None:
        sandbox.faults.plan(story.every, times=500, status=401)
        with pytest.raises(NeedsAdmin) as caught:
            connector.read(story.stream("opportunities"), None)
        told = f"{caught.value!r} {caught.value.__cause__!r} {connector!r}"
        assert not any(secret in told for secret in story.secrets)

    def test_many_threads_may_share_a_connection(self, connector: Connector, story: Story) -> None:
        expected = set(living(read_round(connector, story.stream("opportunities"), None)[0]))
        barrier = threading.Barrier(8)

        def read(_: int) -> set[str]:
            barrier.wait(10)
            return set(living(read_round(connector, story.stream("opportunities"), None)[0]))

        with ThreadPoolExecutor(8) as pool:
            assert all(found == expected for found in pool.map(read, range(8)))

    # For people

    def test_a_record_has_an_address_and_the_connection_says_how_it_stands(
        self, connector: Connector, story: Story
    ) -> None:
        connector.describe(story.stream("opportunities").object)
        assert story.deal in connector.record_url(story.stream("opportunities").object, story.deal)
        assert connector.check_writing()
        health = connector.health()
        assert health.daily_calls is None or 0 < (health.used_calls or 0) <= health.daily_calls


def _pairs(records: Sequence[Record]) -> set[tuple[str, str]]:
    return {(one.fields.deal, one.fields.account) for one in living(records).values()}


def _entries(sandbox: Any, story: Story, action: LoggedAction) -> list[Any]:
    return [one for one in sandbox.crm.timeline(story.org, story.deal) if action.key in f"{one.subject} {one.body}"]


def _unknown_id(like: str) -> str:
    # The same kind of id, for a record that was never made.
    if like.isdigit():
        return "9" * len(like)
    return f"{like[:3]}{'9' * (len(like) - 6)}AAA" if len(like) == 18 else f"{like}-unknown"
