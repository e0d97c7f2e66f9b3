"""The contract's tests of reading: all of it, in order, deletes and partners too."""

# ruff: noqa: S101 - these are tests, shipped so that a connector from elsewhere can inherit them

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

from connectors.base import Connector
from connectors.contract_story import (
    STAMP,
    Story,
    _numbers,
    clock_at,
    later,
    living,
    pairs,
    read_round,
    standing,
    unknown_id,
)


class ReadingContract:
    """What `describe`, `getter`, `read` and `read_records` promise."""

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
        ids = [*list(living(records))[::-1], unknown_id(story.deal)]
        found = connector.read_records(stream, ids)
        assert [record.id for record in found] == ids
        assert [record.deleted for record in found] == [False] * (len(ids) - 1) + [True]
        assert connector.read_records(stream, []) == []

    def test_a_partner_put_on_a_deal_is_seen_and_a_partner_taken_off_is_gone(
        self, connector: Connector, sandbox: Any, story: Story
    ) -> None:
        stream, put_on = story.stream("relations"), (story.deal, story.newcomer)
        first, checkpoint, _ = read_round(connector, stream, None, story.partners)
        assert (story.deal, story.partner) in pairs(first)
        sandbox.crm.add_partner(story.org, story.deal, story.newcomer, story.label)
        try:
            second, checkpoint, _ = read_round(connector, stream, checkpoint, story.partners)
            assert put_on in pairs(second)
        finally:
            sandbox.crm.remove_partner(story.org, story.deal, story.newcomer)
        third, _, complete = read_round(connector, stream, checkpoint, story.partners)
        ended = {record.id for record in third if record.deleted}
        known = {id for id, one in living(second).items() if (one.fields.deal, one.fields.account) == put_on}
        assert put_on not in pairs(third)
        assert story.newcomer in complete or (known and known <= ended)

    def test_an_object_is_described_with_its_fields(self, connector: Connector, story: Story) -> None:
        shape = connector.describe(story.stream("opportunities").object)
        assert story.name in shape.fields
        assert shape.fields[story.name].label
        assert not story.picklist or shape.fields[story.picklist].options

    def test_a_full_read_names_each_record_that_the_crm_has_and_no_other(
        self, connector: Connector, sandbox: Any, story: Story
    ) -> None:
        with later(sandbox):
            for stream in story.streams:
                if stream.name != "relations":
                    records, _, _ = read_round(connector, stream, None, story.partners)
                    assert set(living(records)) == set(standing(sandbox, story, stream)), stream.name

    def test_what_is_saved_in_the_instant_at_which_a_round_ended_is_not_missed(
        self, connector: Connector, sandbox: Any, story: Story
    ) -> None:
        stream, now = story.stream("opportunities"), sandbox.crm.clock()
        with clock_at(sandbox, now):
            sandbox.crm.edit(story.org, stream.object, story.deal, {story.name: f"改訂 {next(_numbers)}"})
            _, checkpoint, _ = read_round(connector, stream, None)
            name = f"改訂 {next(_numbers)}"
            sandbox.crm.edit(story.org, stream.object, story.deal, {story.name: name})
        with clock_at(sandbox, now + timedelta(minutes=10)):
            records, _, _ = read_round(connector, stream, checkpoint)
        assert connector.getter(stream, story.name)(living(records)[story.deal].fields) == name

    def test_records_of_one_instant_are_all_read_however_many_pages_they_fill(
        self, connector: Connector, sandbox: Any, story: Story
    ) -> None:
        stream, now = story.stream("opportunities"), sandbox.crm.clock()
        _, checkpoint, _ = read_round(connector, stream, None)
        names = {id: row.fields[story.name] for id, row in standing(sandbox, story, stream).items()}
        try:
            with clock_at(sandbox, now):
                for id, name in names.items():
                    sandbox.crm.edit(story.org, stream.object, id, {story.name: f"{name} 改"})
            with later(sandbox):
                records, _, _ = read_round(connector, stream, checkpoint)
        finally:
            for id, name in names.items():
                sandbox.crm.edit(story.org, stream.object, id, {story.name: name})
        assert set(living(records)) == set(names)

    def test_a_round_broken_off_goes_on_where_it_stood_however_often_it_is_asked(
        self, connector: Connector, story: Story
    ) -> None:
        stream = story.stream("opportunities")
        first = connector.read(stream, None)
        whole, _, _ = read_round(connector, stream, first.checkpoint)
        again, _, _ = read_round(connector, stream, first.checkpoint)
        assert set(living(again)) == set(living(whole))

    def test_only_what_a_mapping_takes_is_read_and_what_leaves_it_comes_back_deleted(
        self, connector: Connector, sandbox: Any, story: Story
    ) -> None:
        deals = story.stream("opportunities")
        name = f"Only {next(_numbers)}"
        sandbox.crm.edit(story.org, deals.object, story.deal, {story.name: name})
        stream = replace(deals, only={story.name: (name,)})
        records, checkpoint, _ = read_round(connector, stream, None)
        assert set(living(records)) == {story.deal}
        sandbox.crm.edit(story.org, deals.object, story.deal, {story.name: f"{name} no more"})
        with later(sandbox):
            records, _, _ = read_round(connector, stream, checkpoint)
        assert [one.deleted for one in records if one.id == story.deal][-1:] == [True]

    def test_accounts_whose_partners_a_page_calls_complete_have_all_their_deals_in_it(
        self, connector: Connector, sandbox: Any, story: Story
    ) -> None:
        stream, since = story.stream("relations"), None
        deals = standing(sandbox, story, story.stream("opportunities"))
        for _ in range(2):
            records, since, complete = read_round(connector, stream, since, story.partners)
            assert complete <= set(story.partners)
            for account in complete:
                on = {id for id in deals if _is_on(sandbox, story, id, account)}
                assert {deal for deal, one in pairs(records) if one == account} == on

    def test_a_record_tells_when_it_was_made_and_never_after_it_was_changed(
        self, connector: Connector, sandbox: Any, story: Story
    ) -> None:
        for name in ("accounts", "contacts", "opportunities"):
            stream = story.stream(name)
            records = living(read_round(connector, stream, None)[0])
            assert all(STAMP.fullmatch(one.created) for one in records.values()), name
            assert all(one.created[:19] <= one.stamp[:19] for one in records.values()), name
            made = {id: row.created[:19] for id, row in standing(sandbox, story, stream).items()}
            assert {id: one.created[:19] for id, one in records.items()}.items() <= made.items(), name

    def test_no_page_names_a_record_twice(self, connector: Connector, story: Story) -> None:
        page = connector.read(story.stream("opportunities"), None)
        assert max(Counter(record.id for record in page.records).values()) == 1


def _is_on(sandbox: Any, story: Story, deal: str, account: str) -> bool:
    return any((one.account_id, one.role) == (account, story.label) for one in sandbox.crm.partners_on(story.org, deal))
