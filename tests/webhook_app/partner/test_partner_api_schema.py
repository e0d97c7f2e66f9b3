"""The OpenAPI description is true to the server: every address is tried with requests made from it, right and wrong."""

from __future__ import annotations

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS

TRIES = 15


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["right", "wrong"])
def test_every_address_keeps_what_the_specification_says(call, door, mode):
    program = call("MINATO")
    headers = {"Authorization": program.environ_base["HTTP_AUTHORIZATION"]}
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", door, headers=headers)
    # A made-up cursor is refused though it is text: the one thing that the description cannot say.
    checks = [CHECKS.get_one(name) for name in CHECKS.get_all_names() if name != "positive_data_acceptance"]
    tried = set()
    for found in schema.get_all_operations():
        operation = found.ok()
        tried.add((operation.method, operation.path))

        @given(case=operation.as_strategy(generation_mode=mode))
        @settings(
            max_examples=TRIES,
            deadline=None,
            database=None,
            derandomize=True,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        def holds(case):
            case.call_and_validate(headers=headers, checks=checks)

        holds()
    assert len(tried) == 15
