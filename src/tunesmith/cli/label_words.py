"""A key or line as an answer: labels by their keys or names, spans and answers by their words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tunesmith.core.store.labelling import Item, Project


@dataclass(frozen=True, slots=True)
class Told:
    """That a line is no answer: why, and the word that is not understood."""

    why: str
    word: str


_CHOICES = {"1": "a", "2": "b", "0": "tie", "=": "tie"}


def read_key(project: Project, said: str) -> Mapping[str, Any] | Told:
    """The answer that one key stands for, or the name of a label."""
    if project.task == "preference" and said in _CHOICES:
        return {"choice": _CHOICES[said]}
    if project.task == "rating" and said.isdecimal():
        return {"rating": int(said)}
    if project.task == "class" and said in (known := _names(project)):
        return {"label": known[said]}
    return Told("key", said)


def read_line(
    project: Project, item: Item, line: str, suggested: Mapping[str, Any] | None
) -> Mapping[str, Any] | Told:
    """The answer that a line stands for; an empty one takes what is suggested.

    Several labels: their keys or names. Spans: `KEY words; KEY words`, each the first place of the words that
    is not taken, or with `#2` the second. An answer: its words; `-` says that there is none.
    """
    said = line.strip()
    if not said:
        return suggested if suggested is not None else _nothing(project, item)
    if project.task == "multilabel":
        return _several(project, said)
    if project.task == "spans":
        return _spans(project, str(item.content["text"]), said)
    if project.task == "answer":
        return _answer(str(item.content["text"]), said)
    return {"text": line}


def _nothing(project: Project, item: Item) -> Mapping[str, Any]:
    empty: dict[str, Mapping[str, Any]] = {
        "multilabel": {"labels": []},
        "spans": {"spans": []},
        "answer": {"answers": []},
    }
    return empty.get(project.task, {"text": str(item.content["text"])})


def _names(project: Project) -> dict[str, str]:
    by_key = {label.key: label.name for label in project.labels if label.key}
    return by_key | {label.name: label.name for label in project.labels}


def _several(project: Project, said: str) -> Mapping[str, Any] | Told:
    known = _names(project)
    words = [said] if said in known else said.replace("，", " ").replace(",", " ").split()
    unknown = next((word for word in words if word not in known), None)
    return Told("label", unknown) if unknown is not None else {"labels": [known[word] for word in words]}


def _spans(project: Project, text: str, said: str) -> Mapping[str, Any] | Told:
    if said == "-":
        return {"spans": []}
    known = _names(project)
    found: list[dict[str, Any]] = []
    for part in said.replace("；", ";").split(";"):
        key, _, words = part.strip().partition(" ")
        if key not in known:
            return Told("label", key)
        surface, _, nth = words.strip().partition("#")
        place = _place(text, surface, int(nth) if nth.isdecimal() else 1, [s["start"] for s in found])
        if place is None:
            return Told("words", surface)
        found.append({"start": place[0], "end": place[1], "label": known[key]})
    return {"spans": found}


def _answer(text: str, said: str) -> Mapping[str, Any] | Told:
    if said == "-":
        return {"answers": []}
    surface, _, nth = said.partition("#") if said not in text else (said, "", "")
    place = _place(text, surface, int(nth) if nth.isdecimal() else 1, [])
    if place is None:
        return Told("words", surface)
    return {"answers": [{"start": place[0], "text": text[slice(*place)]}]}


def _place(text: str, words: str, nth: int, taken: list[int]) -> tuple[int, int] | None:
    """Where the words stand for the n-th time, not counting places that are taken.

    However many spaces or line ends are between them: the terminal shows one.
    """
    # Looking ahead, since places may overlap: of 人人人 the second 人人 begins within the first.
    spaced = r"\s+".join(map(re.escape, words.split()))
    pattern = re.compile(f"(?=({spaced}))")
    places = (match.span(1) for match in pattern.finditer(text) if words.strip())
    free = [place for place in places if place[0] not in taken]
    return free[nth - 1] if 0 < nth <= len(free) else None
