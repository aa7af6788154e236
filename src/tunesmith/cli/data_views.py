"""What `tunesmith data` shows: how files were read, rows, what cleaning does, what is doubtful."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tunesmith.cli import layout
from tunesmith.cli.output import Output
from tunesmith.cli.run_verb import show_ledger
from tunesmith.core.errors import Problem

if TYPE_CHECKING:
    from tunesmith.data.hygiene.issue import Issue
    from tunesmith.workflow.dataset.previewing import Effect, Seen

__all__ = [
    "show_counts", "show_issues", "show_ledger", "show_preview", "show_profile", "show_rows", "show_sources",
    "show_warnings",
]  # fmt: skip

_EACH = 5
_WIDE = 76


def show_sources(sources: Sequence[Mapping[str, Any]], output: Output) -> None:
    """How each file was read, and which column each field comes from."""
    for source in sources:
        delimiter = repr(source["delimiter"]) if source["delimiter"] else None
        how = " ".join(part for part in (source["format"], source["encoding"], delimiter) if part)
        rows = output.say("data_rows", rows=f"{source['rows']:,}")
        output.line(f"{source['path']}: {how}, {rows}, {source['kind']}")
        if mapping := ", ".join(f"{field} ← {column}" for field, column in source["mapping"].items()):
            output.line(f"  {mapping}")


def show_rows(rows: Sequence[Mapping[str, Any]], output: Output) -> None:
    """Rows with their places, one field a line."""
    for row in rows:
        output.line(f"{row['file']}:{row['line']}")
        cells = [(name, value) for name, value in row.items() if name not in ("file", "line")]
        for line in layout.pairs([(name, _short(_readable(value, row))) for name, value in cells]):
            output.line(line)


def _readable(value: Any, row: Mapping[str, Any]) -> Any:
    """A list as text: turns, spans as `Paris → city`, tokens, answers as `text@start`, labels."""
    if not isinstance(value, list):
        return value
    items = value if all(isinstance(item, dict) for item in value) else []
    if not items:
        return ", ".join(map(str, value))
    if "role" in items[0]:
        return " / ".join(f"{turn['role']}: {turn['tool_calls'] or turn['content']}" for turn in items)
    if "end" not in items[0]:
        return ", ".join(f"{answer['text']}@{answer['start']}" for answer in items)
    parts = (row["text"][item["start"] : item["end"]] for item in items)
    if "label" not in items[0]:
        return " | ".join(parts)
    return ", ".join(f"{part} → {item['label']}" for part, item in zip(parts, items, strict=True))


def _short(value: Any) -> str:
    said = " ".join(str(value if value is not None else "").split())
    return said if len(said) <= 300 else f"{said[:300]}…"


def show_counts(counts: Mapping[str, Mapping[str, int]], output: Output) -> None:
    """What each cleaner did."""
    rows = [
        (name, ", ".join(f"{_reason(key, output)} {n:,}" for key, n in own.items()) or "-")
        for name, own in counts.items()
    ]
    for line in layout.pairs(rows):
        output.line(line)


def _reason(key: str, output: Output) -> str:
    return output.say(f"data_{key}") if key in ("changed", "duplicate") else key


def show_warnings(warnings: Sequence[Mapping[str, Any]], output: Output) -> None:
    """What should be known about the data, on stderr."""
    for warning in warnings:
        told = Problem(**warning).as_dict(output.lang)
        output.hint(f"  ! {told['message']}\n    {told['cause']}")


def show_preview(effects: Sequence[Effect], output: Output) -> None:
    """What each cleaner would change or drop."""
    for effect in effects:
        output.line(effect.name)
        if not effect.shown:
            output.line(f"  {output.say('data_nothing')}")
        for seen in effect.shown:
            _show_effect(seen, output)


def _show_effect(seen: Seen, output: Output) -> None:
    shown = seen.effect
    start = max(0, min([part[0] for part in (*shown.removed, *shown.added)], default=0) - 30)
    output.line(f"  {seen.file}:{seen.line}")
    output.line(f"    - {_window(shown.before, start)}")
    if shown.after is None:
        output.line(f"    × {shown.reason}")
    else:
        output.line(f"    + {_window(shown.after, start)}")


def _window(said: str, start: int) -> str:
    part = repr(said[start : start + 200])[1:-1]
    cut = next((i for i in range(len(part)) if layout.width(part[:i]) > _WIDE - 8), len(part))
    return ("…" if start else "") + part[:cut] + ("…" if cut < len(part) else "")


def show_issues(
    found: Sequence[Issue], places: Mapping[int, tuple[str, int]], output: Output, *, saved: bool
) -> None:
    """The surest doubts of each kind, and how to see the others unless they are `saved`."""
    kinds: dict[str, list[Issue]] = {}
    for issue in found:
        kinds.setdefault(issue.kind, []).append(issue)
    for kind, own in kinds.items():
        output.line(f"{output.say(_kind(kind))}  {len(own):,}")
        for issue in own[:_EACH]:
            _show_issue(issue, places[issue.row], output)
    key = "data_issues_saved" if saved else "data_issues_found"
    output.line(output.say(key, count=f"{len(found):,}"))


def _kind(kind: str) -> str:
    return "data_duplicate_rows" if kind == "duplicate" else f"data_{kind}"


def _show_issue(issue: Issue, place: tuple[str, int], output: Output) -> None:
    from tunesmith.data.hygiene.issue import sentence

    said = sentence(replace(issue, given=_short(issue.given)[:60]), output.lang)
    output.line(f"  {place[0]}:{place[1]}  {issue.score:.2f}")
    for part in layout.wrap(said, _WIDE - 2):
        output.line(f"    {part}")


def show_profile(measured: Mapping[str, Any], output: Output) -> None:
    """The main figures and what to mend first; the page says the rest."""
    from tunesmith.data.profile import spoken
    from tunesmith.data.profile.page.mending import flow

    show_sources(measured["files"], output)
    show_ledger(measured["ledger"], output)
    for problem in spoken(measured, output.lang)["problems"]:
        recipe = problem["fix"]["recipe"]
        output.line(f"· {problem['count']:,}  {problem['message']}")
        for part in layout.wrap(problem.get("hint") or "", _WIDE - 2):
            output.line(f"    {part}") if part else None
        for part in layout.wrap(f"data: {flow(recipe)}", _WIDE - 2) if recipe else ():
            output.line(f"    {part}")
