"""Personal data in text columns, masked or given pseudonyms."""

from __future__ import annotations

import hmac
import re
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial

import polars as pl

from tunesmith.core.errors import RecipeError
from tunesmith.data.clean import Cleaned, change_texts
from tunesmith.data.cleaners.pii_kinds import FORMS, Form, Kind
from tunesmith.data.texts import on_suspect_lines, on_suspects, one_by_one, settled

_WIDE_DIGIT = re.compile("[\uff10-\uff19]")
_HALF_WIDTH = {0xFF10 + digit: 0x30 + digit for digit in range(10)}

_Name = Callable[[Kind, str], str]
"""What stands in a text instead of a value."""


def mask_pii(
    frame: pl.DataFrame,
    *,
    kinds: tuple[Kind, ...] = ("email", "phone", "id", "card", "ip", "key"),
    pseudonyms: bool = False,
    salt: str = "",
) -> Cleaned:
    """Personal data become [EMAIL], [PHONE], [ID], [CARD], [IP], [KEY]; counts say how many of each.

    E-mail addresses, phone numbers, Chinese ID numbers, bank cards, IP addresses, API keys and, if asked for,
    addresses of crypto wallets. With `pseudonyms` the same value becomes the same [EMAIL_1f0c9a52], so that
    people can be told apart; only who knows `salt` can find out whose it was.

    Raises:
        RecipeError: D62 when pseudonyms are wanted without a salt.
    """
    if pseudonyms and not salt:
        raise RecipeError("D62", field="data.clean.mask_pii.salt")
    name: _Name = _pseudonyms(salt) if pseudonyms else _plain
    counts: Counter[str] = Counter()
    change = partial(masked, kinds=kinds, name=name, counts=counts)
    cleaned = change_texts(frame, change)
    return Cleaned(frame=cleaned.frame, dropped=cleaned.dropped, counts=dict(counts))


def mask(texts: Sequence[str]) -> list[str]:
    """Texts without the personal data that `mask_pii` finds."""
    kinds: tuple[Kind, ...] = ("email", "phone", "id", "card", "ip", "key")
    series = pl.Series(list(texts), dtype=pl.String)
    return masked(series, kinds=kinds, name=_plain, counts=Counter()).to_list()


def masked(texts: pl.Series, *, kinds: tuple[Kind, ...], name: _Name, counts: Counter[str]) -> pl.Series:
    """Texts with personal data of some kinds replaced; `counts` is added to, how many of each."""
    forms = [form for form in FORMS if form.kind in kinds]
    suspect = "|".join(dict.fromkeys(form.suspect for form in forms))

    def change(found: pl.Series) -> pl.Series:
        for form in forms:
            only = on_suspects if form.is_long else on_suspect_lines
            found = only(found, form.suspect, one_by_one(_replacer(form, name, counts)))
        return found

    # Settled, because what stood too close to another value is seen when that is masked.
    return on_suspects(texts, suspect, lambda found: settled(found, change)) if forms else texts


def _replacer(form: Form, name: _Name, counts: Counter[str]) -> Callable[[str], str]:
    def change(text: str) -> str:
        parts, done = [], 0
        # Looked for in digits of half width, and cut out of the text as it is.
        narrow = text.translate(_HALF_WIDTH) if _WIDE_DIGIT.search(text) else text
        for match in form.pattern.finditer(narrow):
            if form.is_real(match[0]):
                counts[form.kind.upper()] += 1
                parts += [text[done : match.start()], name(form.kind, match[0])]
                done = match.end()
        return "".join((*parts, text[done:]))

    return change


def _plain(kind: Kind, value: str) -> str:
    return f"[{kind.upper()}]"


def _pseudonyms(salt: str) -> _Name:
    def name(kind: Kind, value: str) -> str:
        digest = hmac.digest(salt.encode(), f"{kind} {_same(kind, value)}".encode(), "sha256")
        return f"[{kind.upper()}_{digest[:4].hex()}]"

    return name


def _same(kind: Kind, value: str) -> str:
    """One spelling of a value: without case, width and separators, Chinese numbers without their country."""
    if kind in ("key", "wallet"):
        return value
    if kind in ("phone", "card"):
        digits = re.sub(r"\D", "", value)
        return re.sub(r"^(?:00)?86(?=1\d{10}$)", "", digits)
    return value.lower()
