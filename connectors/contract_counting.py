"""The contract's tests of counting and walking: what a reconciliation rests on."""

# ruff: noqa: S101 - these are tests, shipped so that a connector from elsewhere can inherit them

from __future__ import annotations

from itertools import pairwise
from typing import Any

from connectors.base import Connector
from connectors.contract_story import STAMP, Story, later, living, read_round, standing, walk_through


class CountingContract:
    """What `count` and `walk` promise."""

    def test_a_walk_names_each_record_that_the_crm_has_once_with_the_stamps_that_reading_gives(
        self, connector: Connector, sandbox: Any, story: Story
    ) -> None:
        with later(sandbox):
            for stream in (one for one in story.streams if one.name != "relations"):
                walked = walk_through(connector, stream)
                assert len({one.id for one in walked}) == len(walked), stream.name
                if stream.name != "users":
                    records = living(read_round(connector, stream, None)[0])
                    assert {one.id: one.stamp for one in walked} == {id: one.stamp for id, one in records.items()}
                    assert {one.id: one.created for one in walked} == {id: one.created for id, one in records.items()}

    def test_a_walk_does_not_name_what_was_deleted(self, connector: Connector, sandbox: Any, story: Story) -> None:
        stream = story.stream("opportunities")
        sandbox.crm.delete(story.org, stream.object, story.deal)
        try:
            with later(sandbox):
                assert story.deal not in {one.id for one in walk_through(connector, stream)}
        finally:
            sandbox.crm.restore(story.org, stream.object, story.deal)
        with later(sandbox):
            assert story.deal in {one.id for one in walk_through(connector, stream)}

    def test_a_walk_stays_within_the_time_of_creation_that_is_asked_for(
        self, connector: Connector, sandbox: Any, story: Story
    ) -> None:
        stream = story.stream("opportunities")
        with later(sandbox):
            whole = {one.id: one.created for one in walk_through(connector, stream)}
            start, end = _cuts(whole)
            asked = {one.id for one in walk_through(connector, stream, start=start, end=end)}
        assert asked == {id for id, created in whole.items() if start <= created < end}

    def test_the_counts_are_what_a_walk_names_bucket_by_bucket(
        self, connector: Connector, sandbox: Any, story: Story
    ) -> None:
        stream = story.stream("opportunities")
        with later(sandbox):
            walked = walk_through(connector, stream)
            cuts = _cuts({one.id: one.created for one in walked})
            buckets = connector.count(stream, cuts)
        assert [(one.start, one.end) for one in buckets] == list(pairwise(["", *cuts, ""]))
        for one in buckets:
            inside = [seen for seen in walked if one.start <= seen.created and (not one.end or seen.created < one.end)]
            assert one.count == len(inside)
            assert one.newest == max((seen.stamp for seen in inside), default="")
            assert STAMP.fullmatch(one.now)
        assert sum(one.count for one in buckets) == len(standing(sandbox, story, stream))


def _cuts(created: dict[str, str]) -> list[str]:
    # Two instants of which something was made before, between and after, where the story has it.
    known = sorted(set(created.values()))
    return [known[len(known) // 3], known[-1]]
