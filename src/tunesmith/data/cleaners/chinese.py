"""Chinese in one script, by OpenCC's tables of words and characters."""

from __future__ import annotations

from typing import Literal

import polars as pl

from tunesmith.data.clean import Cleaned, change_texts
from tunesmith.data.texts import on_suspects, one_by_one, settled

Script = Literal["simplified", "traditional", "taiwan", "hongkong"]

_CONFIGS: dict[Script, str] = {
    "simplified": "t2s",
    "traditional": "s2t",
    "taiwan": "s2tw",
    "hongkong": "s2hk",
}
_CHINESE = r"[\x{3400}-\x{4dbf}\x{4e00}-\x{9fff}\x{f900}-\x{faff}\x{20000}-\x{323af}]"


def convert_chinese(frame: pl.DataFrame, *, to: Script = "simplified") -> Cleaned:
    """Chinese characters in the script named by `to`; words stay as they are (OpenCC)."""
    import opencc

    converter = opencc.OpenCC(_CONFIGS[to])
    convert = one_by_one(converter.convert)
    return change_texts(
        frame, lambda texts: on_suspects(texts, _CHINESE, lambda found: settled(found, convert))
    )
