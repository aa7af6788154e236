"""Requests of every kind that an API document allows, and just outside of it; no server may fail."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable

schemathesis = pytest.importorskip("schemathesis")
from schemathesis.checks import not_a_server_error, response_schema_conformance  # noqa: E402

Change = Callable[[Any, str], None]


def play(
    url: str,
    *,
    examples: int,
    change: Change,
    headers: Mapping[str, str] | None = None,
    wanted: Callable[[Any], bool] = lambda operation: True,
) -> Counter[int]:
    """Ask every route so many times well and so many times badly; how often each status was answered.

    `change` may put something real into a request for a path.
    """
    schema = schemathesis.openapi.from_url(f"{url}/openapi.json", headers={**(headers or {})})
    statuses: Counter[int] = Counter()
    for found in schema.get_all_operations():
        operation = found.ok()
        for mode in (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE):
            if wanted(operation):
                with suppress(Unsatisfiable):  # without a body, nothing can be wrong with it
                    _ask(operation, mode, examples, change, headers, statuses)
    return statuses


def _ask(
    operation: Any,
    mode: Any,
    examples: int,
    change: Change,
    headers: Mapping[str, str] | None,
    statuses: Counter[int],
) -> None:
    """Ask one route, the same requests every time."""

    @settings(
        max_examples=examples, deadline=None, derandomize=True, database=None,
        suppress_health_check=list(HealthCheck), phases=[Phase.generate],
    )  # fmt: skip
    @given(case=operation.as_strategy(generation_mode=mode))
    def play(case: Any) -> None:
        change(case, operation.path)
        response = case.call(timeout=60, headers=headers)
        statuses[response.status_code] += 1
        case.validate_response(response, checks=[not_a_server_error, response_schema_conformance])

    play()
