r"""Rules that suggest labels: regular expressions and lists of words, from a TOML file.

[[rule]]
label = "card"
words = ["card", "银行卡"]

[[rule]]
label = "date"
pattern = '\d{4}年'
weight = 2
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tunesmith.core.errors import NotFoundError, UsageError
from tunesmith.core.store.labelling import Answer
from tunesmith.data.annotation.kinds import CLASS, MULTILABEL, SPANS
from tunesmith.data.annotation.voting import Vote

TASKS = (CLASS, MULTILABEL, SPANS)
"""The kinds of labelling that rules can suggest for."""


def read(path: Path) -> list[dict[str, Any]]:
    """The rules of a file as plain values: `label`, `pattern`, `weight`; words are found as they are.

    Raises:
        NotFoundError: C01 when there is no such file.
        UsageError: L13 when it holds no rules, or one that cannot be understood, L17 when one lacks a key.
    """
    if not path.is_file():
        raise NotFoundError("C01", file=path)
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8")).get("rule")
    except ValueError as error:
        raise UsageError("L13", file=path, reason=str(error)) from error
    if not isinstance(found, list) or not found:
        raise UsageError("L13", file=path, reason="[[rule]]")
    return [_read_rule(path, number, rule) for number, rule in enumerate(found, 1)]


def _read_rule(path: Path, number: int, rule: Any) -> dict[str, Any]:
    try:
        return _rule(rule)
    except KeyError as error:
        raise UsageError("L17", file=path, number=number, key=error.args[0]) from error
    except (ValueError, TypeError, AttributeError, re.error) as error:
        raise UsageError("L13", file=path, reason=f"[[rule]] {number}: {error}") from error


def votes(task: str, text: str, rules: Sequence[Mapping[str, Any]], *, by: str, weight: float) -> list[Vote]:
    """What rules say of a text; each rule once, for spans wherever it is found."""
    said = [(answer, rule["weight"]) for rule in rules for answer in _answers(task, rule, text)]
    return [Vote(by=by, answer=answer, score=1.0, weight=weight * own) for answer, own in said]


def _rule(rule: Mapping[str, Any]) -> dict[str, Any]:
    pattern = rule["pattern"] if "pattern" in rule else "|".join(map(re.escape, rule["words"]))
    re.compile(pattern)
    return {"label": str(rule["label"]), "pattern": pattern, "weight": float(rule.get("weight", 1.0))}


def _answers(task: str, rule: Mapping[str, Any], text: str) -> Iterator[Answer]:
    for match in re.finditer(rule["pattern"], text):
        start, end = match.span()
        if task != SPANS:
            yield {"label": rule["label"]} if task == CLASS else {"labels": [rule["label"]]}
            return
        if end > start:
            yield {"spans": [{"start": start, "end": end, "label": rule["label"]}]}
