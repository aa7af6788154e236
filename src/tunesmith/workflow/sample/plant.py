"""Problems put into clean rows on purpose, with the truth about each, so that finding them can be counted."""

from __future__ import annotations

import csv
import html
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from tunesmith.core import durable
from tunesmith.workflow.sample.dice import Dice
from tunesmith.workflow.sample.generate import COLUMNS, join, rows
from tunesmith.workflow.sample.templates import common, families, fill

Row = dict[str, str]
Edit = tuple[Row, str] | None  # what changes, and the truth about it
_FULL_WIDTH = {code: code + 0xFEE0 for code in range(0x21, 0x7F) if chr(code).isalnum()}
_UNDEFINED = {0x81, 0x8D, 0x8F, 0x90, 0x9D}  # bytes without a meaning in cp1252
_MARKUP = (
    "<p>{}</p>",
    '<div class="message"><span style="color:#333">{}</span></div>',
    "<b>{}</b><br/>",
    "<p>{}&nbsp;</p>\n<!-- sent from the app -->",
    '<font face="Arial">{}</font>',
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What was planted, each as `{id: truth}`; a row has at most one problem.

    `duplicates`, `variants` (differ in width, case or space) and `conflicts` (same message, other topic) give
    the id of the earlier row; `mojibake` and `html` the message as it was; `personal` the personal string in
    the message; `wrong_labels` and `unlabelled` the right topic.
    """

    duplicates: dict[str, str]
    variants: dict[str, str]
    conflicts: dict[str, str]
    mojibake: dict[str, str]
    html: dict[str, str]
    personal: dict[str, str]
    wrong_labels: dict[str, str]
    unlabelled: dict[str, str]

    def counts(self) -> dict[str, int]:
        """How many rows have each problem."""
        return {field.name: len(getattr(self, field.name)) for field in fields(self)}


SHARES = {
    "duplicates": 0.03,
    "variants": 0.02,
    "conflicts": 0.005,
    "mojibake": 0.02,
    "html": 0.03,
    "personal": 0.05,
    "wrong_labels": 0.03,
    "unlabelled": 0.005,
}


def write(path: Path, count: int = 2000, seed: int = 0, language: str | None = None) -> Truth:
    """Write rows with planted problems as CSV in UTF-8, the same bytes everywhere.

    Of a table of `count` rows, those in `language` (zh or en), or all; the truth is about the whole table.

    Raises:
        TunesmithError: C02 when the system refuses to write.
    """
    planted, truth = plant(rows(count, seed), seed)
    out = io.StringIO()
    table = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    table.writeheader()
    table.writerows(row for row in planted if language in (None, row["language"]))
    durable.write_bytes(path, out.getvalue().encode())
    return truth


def plant(clean: Sequence[Row], seed: int = 0) -> tuple[list[Row], Truth]:
    """The rows with problems in the shares of `SHARES`, and the truth; the table keeps its length and ids."""
    dice = Dice(seed, "plant")
    planted = [dict(row) for row in clean]
    pool = dice.shuffled(range(len(planted)))
    truth: dict[str, dict[str, str]] = {}
    for name, share in SHARES.items():
        wanted = round(share * len(planted))
        if name in _COPIES:
            truth[name] = _copy(dice, planted, pool, wanted, _COPIES[name])
        else:
            truth[name] = _edit(dice, planted, pool, wanted, _EDITS[name])
    return planted, Truth(**truth)


def _copy(
    dice: Dice, planted: list[Row], pool: list[int], wanted: int, change: Callable[[Dice, Row], Row]
) -> dict[str, str]:
    """Overwrite rows by changed copies of earlier ones; both leave the pool."""
    found: dict[str, str] = {}
    for _ in range(wanted):
        first, later = sorted((pool.pop(), pool.pop()))
        source, row_id = planted[first], planted[later]["id"]
        planted[later] = {**source, **change(dice, source), "id": row_id}
        found[row_id] = source["id"]
    return found


def _edit(
    dice: Dice, planted: list[Row], pool: list[int], wanted: int, change: Callable[[Dice, Row], Edit]
) -> dict[str, str]:
    """Change rows for which there is a change; they leave the pool."""
    found: dict[int, str] = {}
    for index in pool:
        edit = change(dice, planted[index]) if len(found) < wanted else None
        if edit is not None:
            new, found[index] = edit
            planted[index] = {**planted[index], **new}
    pool[:] = [index for index in pool if index not in found]
    return {planted[index]["id"]: truth for index, truth in found.items()}


def _same(dice: Dice, source: Row) -> Row:
    return {}


def _variant(dice: Dice, source: Row) -> Row:
    text = source["message"]
    variants = (
        text.upper(),
        text.translate(_FULL_WIDTH),
        text.replace(" ", "  "),
        f" {text} ",
        f"\u3000{text}",
    )
    return {"message": dice.pick([variant for variant in variants if variant != text])}


def _relabelled(dice: Dice, source: Row) -> Row:
    topics = sorted({family.topic for family in families()} - {source["topic"]})
    return {"topic": dice.pick(topics)}


def _mojibake(dice: Dice, row: Row) -> Edit:
    """UTF-8 read as cp1252; English messages qualify by the typographic apostrophes of phones."""
    text = row["message"].replace("'", "’")
    if text.isascii():
        return None
    read = (chr(byte) if byte in _UNDEFINED else bytes([byte]).decode("cp1252") for byte in text.encode())
    return {"message": "".join(read)}, text


def _html(dice: Dice, row: Row) -> Edit:
    return {"message": dice.pick(_MARKUP).format(html.escape(row["message"]))}, row["message"]


def _personal(dice: Dice, row: Row) -> Edit:
    """A sentence with an e-mail address, a telephone, card or identity number after the message."""
    language = row["language"]
    shared = common(language)
    sentence = dice.pick(shared["personal"])
    kind = next(kind for kind in ("email", "phone", "card", "id") if f"{{{kind}}}" in sentence)
    value = fill(dice, f"{{{kind}}}", shared["slots"], {})
    value += {"card": luhn_digit, "id": identity_digit}.get(kind, lambda _: "")(value)
    said = sentence.replace(f"{{{kind}}}", value)
    return {"message": join([row["message"], said], language)}, value


def _wrong_label(dice: Dice, row: Row) -> Edit:
    return _relabelled(dice, row), row["topic"]


def _no_label(dice: Dice, row: Row) -> Edit:
    return {"topic": ""}, row["topic"]


_COPIES = {"duplicates": _same, "variants": _variant, "conflicts": _relabelled}
_EDITS = {
    "mojibake": _mojibake,
    "html": _html,
    "personal": _personal,
    "wrong_labels": _wrong_label,
    "unlabelled": _no_label,
}


def luhn_digit(digits: str) -> str:
    """The check digit of a bank card (ISO/IEC 7812-1)."""
    doubled = (int(digit) * (2 - at % 2) for at, digit in enumerate(reversed(digits)))
    return str(-sum(value // 10 + value % 10 for value in doubled) % 10)


def identity_digit(digits: str) -> str:
    """The check digit of a Chinese identity number (GB 11643, ISO 7064 MOD 11-2)."""
    weighted = sum(int(digit) * 2 ** (17 - at) for at, digit in enumerate(digits))
    return "10X98765432"[weighted % 11]
