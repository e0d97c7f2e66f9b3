"""The reference pages say what the code knows, word by word: YAML keys, ladders, kinds, addresses, states."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from config.editor import KINDS as SCHEMAS
from config.fields import LADDERS_OF
from config.load import load
from config.mapping_words import TYPES, WAYS, FieldWords
from config.rules import BASES
from config.settings_words import CONNECTIONS, FLOWS, Connection
from config.words import Inner, Many, Table
from config.workspace import INVOLVEMENTS, PLACEHOLDERS, ROLES
from mapping import expression
from mapping.functions import FUNCTIONS
from mapping.model import SHARE_FIELDS, SHARE_STATES
from policies.model import LADDERS
from policies.trial import run_tests
from sync.actions.kinds import KINDS, KindField
from sync.signatures import open_secret, sign, verified
from sync.webhooks.telling import TOLD
from webhook_app.health import STATES
from webhook_app.hooks.xapi_words import VERBS
from webhook_app.texts.console import CONSOLE

FILES = {
    "sudare.yaml": "sudare",
    "mappings/*.yaml": "mapping",
    "fields.yaml": "fields",
    "policies/*.yaml": "policy",
    "policies/tests/*.yaml": "policy-test",
    "writeback.yaml": "writeback",
    "documents.yaml": "documents",
}
EVERY_STATEMENT_HAS = {"kind", "id", "at", "person", "deal"}


def keys(schema: Any, prefix: str = "") -> Iterator[str]:
    """Every key that a schema takes, by its path: `serve.partner`, `who[].name`, `connections.NAME.kind`."""
    for name, field in schema.fields.items():
        path = prefix + (field.data_key or name)
        yield path
        yield from inner_keys(field, path)


def inner_keys(field: Any, path: str) -> Iterator[str]:
    match field:
        case Connection():
            for kind in CONNECTIONS.values():
                yield from keys(kind(), f"{path}.")
        case Inner() if isinstance(field.schema, FieldWords):
            yield from keys(field.schema, "FIELD.")  # told once, for all sections
        case Inner():
            yield from keys(field.schema, f"{path}.")
        case Many():
            yield from inner_keys(field.inner, f"{path}[]")
        case Table():
            yield from inner_keys(field.value_field, f"{path}.NAME")


@pytest.mark.parametrize("file", FILES)
def test_every_key_of_a_file_is_told_and_no_other(documents: Any, file: str) -> None:
    told = {word for word in documents["docs/workspace.md"].section(f"## {file}").named if not word.startswith("{")}
    if file == "mappings/*.yaml":
        told -= set(WAYS)  # a table of their own
    assert told == set(keys(SCHEMAS[FILES[file]]()))


def test_the_examples_are_one_workspace_that_loads_and_passes_its_tests(documents: Any) -> None:
    blocks = documents["docs/workspace.md"].blocks("yaml")
    files = {each.splitlines()[0].removeprefix("# "): each for each in blocks}
    workspace = load(files | {"documents/price-list.pdf": "sha256:" + "0" * 64})
    assert set(workspace.connections) == {"sf", "hs"}
    assert not run_tests(workspace.policy, workspace.policies, datetime.now(UTC))


def test_every_word_that_a_key_may_have_is_told(documents: Any) -> None:
    page = documents["docs/workspace.md"]
    flows = {flow for kind in FLOWS.values() for flow in kind}
    for each in (*TYPES, *BASES, *flows, *INVOLVEMENTS, *ROLES):
        assert f"`{each}`" in page.text, each
    told = {word for word in page.named if word.startswith("{")}
    assert told == {f"{{{name}}}" for name in PLACEHOLDERS}


def test_every_way_of_naming_partners_is_told_with_its_keys(documents: Any) -> None:
    words = documents.words
    table = [row for row in documents["docs/workspace.md"].section("## mappings/*.yaml").rows if len(row) == 4]
    told = {words(row[0])[0]: (set(words(row[2])), set(words(row[3]))) for row in table}
    assert told == {way: (set(must), set(may)) for way, (must, may) in WAYS.items()}


def test_every_ladder_is_told_with_its_rungs_and_its_types(documents: Any) -> None:
    words, page = documents.words, documents["docs/policies.md"].section("## Ladders")
    told = {words(row[0])[0]: row for row in page.rows if " < " in row[1]}
    assert {name: tuple(words(row[1])) for name, row in told.items()} == dict(LADDERS)
    types = {ladder: {kind for kind, fitting in LADDERS_OF.items() if ladder in fitting} for ladder in LADDERS}
    assert {name: set(words(row[2])) for name, row in told.items()} == types
    assert {rung for ladder in LADDERS.values() for rung in ladder} <= page.named


def test_every_function_is_told_and_no_other(documents: Any) -> None:
    text = documents["docs/policies.md"].section("## The expression language").text
    told = re.findall(r"(?m)^\| `(\w+)` \|", text.partition("| function |")[2])
    assert told == list(FUNCTIONS)


def test_every_test_of_a_condition_and_every_field_of_a_share_is_told(documents: Any) -> None:
    page = documents["docs/policies.md"].section("## Conditions")
    assert page.named == set(expression._MAP_TESTS) | set(SHARE_FIELDS)
    assert all(f"`{state}`" in page.text for state in SHARE_STATES)


def test_expressions_in_the_text_can_be_read(documents: Any) -> None:
    texts = ("deal.stage", "deal.region", "partner.region", "partner.tier")
    fields: Any = {"deal.amount": "money", "deal.close": "date", **dict.fromkeys(texts, "picklist")}
    told = re.findall(r"`\"?((?:if )?(?:deal|partner)\.\w+ [^`\"]+)\"?`", documents["docs/policies.md"].text)
    assert len(told) >= 4
    for each in told:
        assert expression.parse(each, fields)


def test_every_kind_of_statement_is_told_with_its_fields_and_bounds(documents: Any) -> None:
    rows = documents["docs/statements.md"].section("## Kinds").rows
    told = {row[0].strip("`"): row[1:] for row in rows}
    known = {
        kind.name: [kind.deal, ", ".join(bounds(name, field) for name, field in kind.fields.items())]
        for kind in KINDS.values()
    }
    assert {name: row for name, row in told.items() if name not in EVERY_STATEMENT_HAS} == known
    assert set(told) >= EVERY_STATEMENT_HAS


def bounds(name: str, field: KindField) -> str:
    return f"`{name}`{'' if field.required else '?'} {field.type} {field.low:g}–{int(field.high)}"


def test_every_xapi_verb_is_told_with_its_kind(documents: Any) -> None:
    rows = documents["docs/statements.md"].section("## xAPI").rows
    assert {row[0].strip("`"): documents.words(row[1])[0] for row in rows} == dict(VERBS)


@pytest.mark.parametrize("page", ["README.md", "docs/statements.md"])
def test_the_signing_example_makes_a_signature_that_is_taken(documents: Any, page: str) -> None:
    bash = shutil.which("bash")
    if not (bash and shutil.which("openssl") and shutil.which("od")):
        pytest.skip("no bash, openssl or od here: the signing example is not tried")
    script = next(each for each in documents[page].blocks("sh") if "webhook-signature" in each)
    secret = "whsec_c3VkYXJlIHNpZ25zIHdoYXQgaXQgc2VuZHMsIG9uY2U="
    command = [bash, "-euc", f"curl() {{ printf '%s\\n' \"$@\"; }}\n{script}"]
    surroundings = {"PATH": "/usr/local/bin:/usr/bin:/bin", "SECRET": secret, "URL": "http://127.0.0.1"}
    said = subprocess.run(command, env=surroundings, capture_output=True, text=True, check=True).stdout.splitlines()
    sent = dict(line.split(": ", 1) for line in said if line.startswith("webhook-"))
    headers = [sent[f"webhook-{name}"] for name in ("id", "timestamp", "signature")]
    body = said[said.index("--data-binary") + 1].encode()
    assert verified([open_secret(secret)], *headers, body, datetime.now(UTC))


def test_the_bytes_of_a_webhook_are_what_is_sent_and_the_way_to_verify_them_takes_them(documents: Any) -> None:
    page = documents["docs/webhooks.md"]
    (secret,) = re.findall(r"`(whsec_[^`]+)`", page.text)
    head, body = page.blocks("http")[0].rstrip("\n").split("\n\n")
    headers = dict(line.split(": ", 1) for line in head.splitlines()[1:])
    id, at, raw = headers["webhook-id"], int(headers["webhook-timestamp"]), body.encode()
    assert headers["Content-Length"] == str(len(raw))
    assert headers["webhook-signature"] == sign(open_secret(secret), id, at, raw)
    assert all(set(event) <= set(TOLD) for event in json.loads(raw)["events"])
    found: dict[str, Any] = {}
    exec(page.blocks("python")[0], found)  # noqa: S102 - our own page
    now = int(datetime.now(UTC).timestamp())
    both = f"{sign(b'k' * 32, id, now, raw)} {sign(open_secret(secret), id, now, raw)}"
    assert found["is_ours"](secret, {**headers, "webhook-timestamp": str(now), "webhook-signature": both}, raw)
    assert not found["is_ours"](
        secret, {**headers, "webhook-timestamp": str(now), "webhook-signature": both}, raw + b" "
    )
    assert not found["is_ours"](secret, headers | {"webhook-timestamp": "1"}, raw)


def test_every_address_of_the_api_is_told_and_no_other(documents: Any) -> None:
    offered = re.findall(r'@offers\(\s*"(\w+)", "([^"]+)"', documents["webhook_app/partner/api.py"].text)
    told = {word for word in documents["docs/api.md"].named if "/" in word}
    assert told == {f"{verb} {path}" for verb, path in offered}


def test_every_state_of_the_console_is_told(documents: Any) -> None:
    page = documents["docs/errors.md"]
    assert page.section("## The outbox").named == set(STATES)
    told = {row[0] for row in page.section("## Connections, on the console's first page").rows}
    assert told == {each.en for key, each in CONSOLE.items() if key.startswith("health.")}
