"""Whatever is sent is read or refused: no body ends in an error of ours, and none is half understood."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.actions.kinds import KINDS
from webhook_app.hooks.statements import SCHEMAS, Speaker, Unreadable, parse_json, read_statement, read_statements
from webhook_app.hooks.xapi_words import VERBS, from_xapi

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
SPEAKERS = (Speaker("a", "partner"), Speaker("b", None))

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)
names = sorted({"id", "at", "deal", "person", *(name for kind in KINDS.values() for name in kind.fields)})
nearly_ours = st.fixed_dictionaries(
    {"kind": st.sampled_from(sorted(KINDS)) | anything},
    optional={
        name: anything | st.sampled_from(["2026-11-25T10:00:00Z", "a@b.example", [[0, 1]], 1, 0.5]) for name in names
    },
)
nearly_xapi = st.fixed_dictionaries(
    {
        "actor": st.just({"mbox": "mailto:a@b.example"}) | anything,
        "verb": st.fixed_dictionaries({"id": st.sampled_from(sorted(VERBS))}) | anything,
    },
    optional=dict.fromkeys(("object", "result", "context", "timestamp", "id"), anything),
)


@settings(max_examples=500, deadline=None)
@given(nearly_ours | anything, st.sampled_from(SPEAKERS), st.none() | st.just("msg_1"))
def test_any_json_is_read_whole_or_refused(said, speaker, id):
    with suppress(Unreadable):
        for statement in read_statements(said, speaker, NOW, id=id):
            assert set(statement.fields) <= set(KINDS[statement.kind].fields)
            assert statement.id
            json.dumps(dict(statement.fields), ensure_ascii=False).encode()


@settings(max_examples=500, deadline=None)
@given(nearly_xapi | anything)
def test_any_xapi_is_read_whole_or_refused(said):
    with suppress(Unreadable):
        read_statement(from_xapi(said), SPEAKERS[1], NOW, id="x")


@settings(max_examples=500, deadline=None)
@given(st.binary(max_size=80) | st.text(max_size=60).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_bytes_are_json_or_refused(raw):
    with suppress(Unreadable):
        parse_json(raw)


def test_every_kind_has_a_schema_for_both_who_speak():
    assert {kind for kind, _ in SCHEMAS} == set(KINDS)
    assert {speaks for _, speaks in SCHEMAS} == {"partner", "vendor"}


@pytest.mark.parametrize("speaker", SPEAKERS)
def test_the_same_content_has_the_same_digest_in_any_order_of_keys(speaker):
    said = {"kind": "login", "id": "1", "person": "a@b.example", "at": "2026-11-25T10:00:00Z"}
    one = read_statement(said, speaker, NOW)
    assert one.digest == read_statement(dict(reversed(said.items())), speaker, NOW).digest
    assert one.digest != read_statement({**said, "at": "2026-11-25T10:00:01Z"}, speaker, NOW).digest


def test_two_partners_own_ids_never_meet():
    assert Speaker.partner("one").source != Speaker.partner("other").source
