"""The rules of a gate as a table, those that failed first."""

from __future__ import annotations

from typing import Any

from tunesmith.cli.output import Output


def show(gate: dict[str, Any] | None, output: Output) -> None:
    """What was asked, what was measured, and how it went; nothing where there is no gate."""
    if gate is None or output.as_json:
        return
    from tunesmith.eval.gate import Check
    from tunesmith.eval.page import scores
    from tunesmith.pages.words import Speaker, number

    words = Speaker("eval", output.lang)
    checks = sorted((Check(**check) for check in gate["checks"]), key=lambda check: check.passed)
    rows = [
        [("✓ " if check.passed else "✗ ") + scores.rule(check, words), number(check.value)]
        for check in checks
    ]
    output.table([words("check_rule"), words("check_value")], rows)
    output.line(output.say("gate_open" if gate["passed"] else "gate_shut"))
