"""Web and e-mail addresses: masked, dropped or kept."""

from __future__ import annotations

from functools import partial
from typing import Literal

import polars as pl

from tunesmith.data.clean import Cleaned, change_texts
from tunesmith.data.texts import on_suspects, settled

Action = Literal["mask", "drop", "keep"]

# ASCII only, so that an address ends where Chinese begins; its last character is no punctuation.
_URL = r"(?i-u:(?:https?|ftp)://|www\.)[!-;=?-_a-z~]*[0-9A-Za-z/=&#_~-]"
_EMAIL = r"[A-Za-z0-9._%+-]+@(?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,}"


def replace_links(frame: pl.DataFrame, *, urls: Action = "mask", emails: Action = "keep") -> Cleaned:
    """Web addresses become `[URL]` and e-mail addresses `[EMAIL]`, or are dropped, or kept."""
    change = partial(_replaced, urls=urls, emails=emails)
    return change_texts(
        frame, lambda texts: on_suspects(texts, r"://|www\.|WWW\.|@", lambda found: settled(found, change))
    )


def _replaced(texts: pl.Series, *, urls: Action, emails: Action) -> pl.Series:
    for pattern, mask, action in ((_URL, "[URL]", urls), (_EMAIL, "[EMAIL]", emails)):
        if action == "mask":
            texts = texts.str.replace_all(pattern, mask)
        elif action == "drop":
            # With the space before it, so that no two spaces are left.
            texts = texts.str.replace_all(f" ?(?:{pattern})", "")
    return texts
