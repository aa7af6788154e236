"""What became of the rows, as one bar."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from markupsafe import Markup

from tunesmith.eval.report import Report
from tunesmith.pages import svg
from tunesmith.pages.words import Speaker, percent


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A part of the rows: its colour class, name, count and share of all."""

    kind: str
    name: str
    count: int
    share: float


def shares(report: Report, say: Speaker) -> tuple[Share, ...]:
    """Where the rows went, used rows first."""
    counts = [("used", say("ledger_used"), report.ledger.get("used", 0))]
    held: Mapping[str, int] = report.ledger.get("held_out", {})
    for i, (part, count) in enumerate(held.items()):
        counts.append((f"held{i % 2}", say("ledger_held_out", part=say.name("part", part)), count))
    counts.append(("duplicate", say("ledger_duplicate"), report.ledger.get("duplicate", 0)))
    dropped: Mapping[str, int] = report.ledger.get("dropped", {})
    for i, (reason, count) in enumerate(dropped.items()):
        counts.append((f"drop{i % 3}", say("ledger_dropped", reason=say.name("reason", reason)), count))
    read = max(1, report.ledger.get("read", 0))
    return tuple(
        Share(kind=kind, name=name, count=count, share=count / read) for kind, name, count in counts if count
    )


def picture(report: Report, say: Speaker) -> Markup:
    """The shares as one bar."""
    parts = shares(report, say)
    words = [f"{part.name} {part.count:,} ({percent(part.share)})" for part in parts]
    drawn = [(p.kind, w, p.share) for p, w in zip(parts, words, strict=True)]
    return svg.stack(say("ledger"), "; ".join(words), drawn)
