"""Labelling in the terminal: an item, keys, a decision, the next; in 80 columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tunesmith.cli import layout
from tunesmith.cli.keyboard import Keyboard
from tunesmith.cli.label_words import Told, read_key, read_line
from tunesmith.cli.output import Output
from tunesmith.core.errors import UsageError, render

if TYPE_CHECKING:
    from tunesmith.core.store.labelling import Item, Project
    from tunesmith.workflow.labelling.session import Session

_COLUMNS = 80
_MAKERS = ("given", "learned", "doubt", "correction", "good")
_BY_KEY = ("class", "preference", "rating")


def label(session: Session, keyboard: Keyboard, output: Output) -> None:
    """Ask about one item after the other until there are no more or the person has enough."""
    _show_project(session.project, output)
    again = True
    while again:
        item = session.item()
        if item is not None:
            _show_item(session, item, output)
        again = _answer(session, item, keyboard, output) if item else _undone(session, keyboard, output)


def _undone(session: Session, keyboard: Keyboard, output: Output) -> bool:
    """Nothing is left, but the last decision may be taken back."""
    if not session.made:
        return False
    _say(output, output.say("label_all_done"))
    return keyboard.key() in ("z", "backspace") and session.undo()


def _answer(session: Session, item: Item, keyboard: Keyboard, output: Output) -> bool:
    """One decision; what cannot be read is asked again. False at the end."""
    while True:
        _say(output, output.say(f"label_ask_{session.project.task}"))
        said = keyboard.key() if session.project.task in _BY_KEY else keyboard.line()
        if said is None or said == "q":
            return False
        if said in ("z", "backspace"):
            if session.undo():
                return True
            _say(output, output.say("label_nothing_to_undo"))
        elif said in ("s", "space", " "):
            session.skip()
            return True
        elif (answer := _meant(session.project, item, said, keyboard, output)) is not None and _kept(
            session, item, answer, output
        ):
            return True


def _kept(session: Session, item: Item, answer: Mapping[str, Any], output: Output) -> bool:
    try:
        session.label(answer)
    except UsageError as error:
        _say(output, render(error.problems[0], output.lang))
        return False
    _say(output, f"→ {_short(answer, item.content)}")
    return True


def _meant(
    project: Project, item: Item, said: str, keyboard: Keyboard, output: Output
) -> Mapping[str, Any] | None:
    """The answer that keys or a line stand for; None when they stand for none, which was said."""
    suggested = item.suggested[0].answer if item.suggested else None
    if said == "/" and project.labels:
        said = _searched(project, keyboard, output)
    if project.task in _BY_KEY:
        read = suggested if said == "enter" and suggested is not None else read_key(project, said)
    else:
        read = read_line(project, item, said, suggested)
    if not isinstance(read, Told):
        return read
    _say(output, output.say(f"label_told_{read.why}", word=read.word))
    return None


def _searched(project: Project, keyboard: Keyboard, output: Output) -> str:
    """The one label that a part of a name stands for; else the part, when several or none have it."""
    _say(output, output.say("label_search"))
    part = (keyboard.line() or "").strip()
    found = [label.name for label in project.labels if part.casefold() in label.name.casefold()]
    if len(found) != 1:
        _show_text("  ".join(found[:20]), output)
    return found[0] if len(found) == 1 else part


def _show_project(project: Project, output: Output) -> None:
    _show_text(project.guideline, output)
    shown = [f"[{label.key}] {label.name}" if label.key else label.name for label in project.labels]
    lines = [""]
    for one in shown:
        if lines[-1] and layout.width(lines[-1]) + layout.width(one) + 2 > _COLUMNS:
            lines.append("")
        lines[-1] += ("  " if lines[-1] else "") + one
    for line in filter(None, lines):
        _say(output, line)


def _show_text(said: str, output: Output) -> None:
    for paragraph in said.splitlines():
        for line in layout.wrap(paragraph, _COLUMNS):
            _say(output, line)


def _show_item(session: Session, item: Item, output: Output) -> None:
    standing = session.standing()
    heading = f"── {standing.decided} / {standing.items} "
    _say(output, "\n" + heading + "─" * (_COLUMNS - layout.width(heading)))
    for name in ("question", "prompt", "source", "text", "a", "b"):
        if said := item.content.get(name):
            if name not in ("text", "prompt"):
                _say(output, output.say(f"label_part_{name}"))
            _show_text(str(said), output)
    if item.suggested:
        best = item.suggested[0]
        by = ", ".join(_maker(name, output) for name in best.by.split(", "))
        said = _short(best.answer, item.content)
        _show_text(output.say("label_suggested", answer=said, by=by, score=f"{best.score:.2f}"), output)


def _maker(name: str, output: Output) -> str:
    """Who suggests: what Tunesmith has its own name for in words, models and rules as they are called."""
    return output.say(f"label_by_{name}") if name in _MAKERS else name


def _short(answer: Mapping[str, Any], content: Mapping[str, Any]) -> str:
    """An answer in a line; spans by their words."""
    (value,) = answer.values()
    if not isinstance(value, list):
        return str(value)
    return "; ".join(_part(one, str(content.get("text", ""))) for one in value) or "-"


def _part(one: Any, text: str) -> str:
    if not isinstance(one, dict):
        return str(one)
    return str(one["text"]) if "text" in one else f"{one['label']} {text[one['start'] : one['end']]}"


def _say(output: Output, words: str) -> None:
    """On stdout; on stderr when stdout is for JSON."""
    (output.hint if output.as_json else output.line)(words)
