"""What is wrong with a workspace, in words, and what was mended of it."""

from __future__ import annotations

from collections.abc import Sequence

from tunesmith.cli.output import Output
from tunesmith.core.repair import Finding, Visit, examine


def look(output: Output) -> list[Finding]:
    """All that is wrong; nothing is changed."""
    return examine(output.workspace, Visit(mend=False))


def repair(output: Output) -> int:
    """Mend what can be mended; 1 when something is left that only a person can decide."""
    found = examine(output.workspace, Visit(mend=True))
    left = [finding for finding in found if not finding.mended]
    output.data({"repaired": len(found) - len(left), "wrong": [finding.as_dict() for finding in found]})
    if not found:
        output.line(output.say("repair_nothing"))
    show(found, output)
    return 1 if left else 0


def show(found: Sequence[Finding], output: Output) -> None:
    """A line for each finding, and what to do about those that stay."""
    for finding in found:
        sign = "repair_done" if finding.mended else "repair_open"
        said = output.say(f"repair_{finding.kind}", subject=finding.subject, detail=finding.detail)
        output.line(output.say(sign, what=said))
    hints = {finding.kind for finding in found if not finding.mended}
    for kind in sorted(hints & {"gone", "pepper", "damaged", "unreachable"}):
        output.hint(output.say(f"repair_hint_{kind}"))
    if hints - {"gone", "pepper", "unreachable"}:
        output.hint(output.say("repair_hint"))
