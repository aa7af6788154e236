"""Rows in languages that are not wanted: the script tells most, py3langid the rest."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Annotated

import polars as pl
from annotated_types import Ge, Le, MinLen

from tunesmith.data.clean import Cleaned, drop_where
from tunesmith.data.cleaners import scripts
from tunesmith.data.texts import text_of

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

# Fewer letters do not tell a language; a Chinese character says as much as two letters.
_TELLING = 20
_HAN_WEIGHT = 2
# Where this share of Chinese and Japanese characters is kana, the text is Japanese.
_JAPANESE = 0.1
_ALONE = {"hangul": "ko", "greek": "el", "hebrew": "he", "thai": "th"}
"""Scripts of which each writes one language."""
_SHARED = ("latin", "cyrillic", "arabic", "devanagari", "other")
"""Scripts that write many."""

# Words that are frequent in English and hardly used in other languages that are written in ASCII.
_ENGLISH = (
    r"(?i-u:\b(?:the|and|that|this|these|those|there|their|they|them|with|would|could|should|which|what|when"
    r"|where|who|why|how|have|has|had|been|were|are|from|your|you|our|my|his|her|she|not|but|because|into"
    r"|about|after|before|each|many|much|any|some|more|than|will|can|get|year|years|for|of|it|to|is)\b)"
)
_ENOUGH = 0.1
_LOOKED_AT = 300
_SURE = 0.8
_CHINESE = re.compile("[\u3000-\u9fff]+")  # which would decide


def keep_languages(
    frame: pl.DataFrame,
    *,
    keep: Annotated[tuple[str, ...], MinLen(1)] = ("zh", "en"),
    share: Annotated[float, Ge(0), Le(1)] = 0.5,
) -> Cleaned:
    """Rows of which less than `share` is in one of the languages `keep` (ISO 639-1) are dropped.

    Texts too short to tell are kept, and so are those of which it is not sure.
    """
    return drop_where(frame, wanted(text_of(frame), keep) < share, "language")


def wanted(texts: pl.Series, keep: tuple[str, ...]) -> pl.Series:
    """The share of each text's letters that is in a language of `keep`, or may be; null if there are few."""
    # Texts in ASCII are in one script, and need no look at each character.
    is_ascii = texts.str.len_bytes() == texts.str.len_chars()
    shares = pl.repeat(None, len(texts), dtype=pl.Float64, eager=True)
    for mask, share in ((is_ascii, _of_ascii), (~is_ascii, _of_scripts)):
        places = mask.fill_null(False).arg_true()
        if len(places):
            shares = shares.scatter(places, share(texts.gather(places), keep))
    return shares


def _of_ascii(texts: pl.Series, keep: tuple[str, ...]) -> pl.Series:
    telling = texts.str.contains(rf"(?:[A-Za-z][^A-Za-z]*){{{_TELLING}}}")
    may_be = _may_be(texts, telling, keep)
    return pl.select(pl.when(telling).then(may_be.cast(pl.Float64))).to_series()


def _of_scripts(texts: pl.Series, keep: tuple[str, ...]) -> pl.Series:
    letters = scripts.counts(texts).with_columns(
        han=_HAN_WEIGHT * pl.col("han"), shared=pl.sum_horizontal(_SHARED)
    )
    letters = letters.select("han", "kana", "shared", *_ALONE)
    # Which language a few Latin words in Chinese are in does not matter.
    main = pl.max_horizontal(pl.exclude("shared"))
    matters = letters.select(it=(pl.col("shared") >= _TELLING) & (pl.col("shared") > main))["it"]
    may_be = _may_be(texts, matters, keep)
    japanese = pl.col("kana") > _JAPANESE * (pl.col("kana") + pl.col("han") / _HAN_WEIGHT)
    east = pl.when(japanese).then(pl.lit("ja" in keep)).otherwise(pl.lit("zh" in keep))
    found = pl.sum_horizontal(
        (pl.col("han") + pl.col("kana")) * east,
        pl.col("shared") * pl.lit(may_be),
        *(pl.col(script) * int(language in keep) for script, language in _ALONE.items()),
    )
    total = pl.sum_horizontal(pl.all())
    return letters.select(share=pl.when(total >= _TELLING).then(found / total))["share"]


def _may_be(texts: pl.Series, chosen: pl.Series, keep: tuple[str, ...]) -> pl.Series:
    """Whether the part of a text in Latin or another shared script may be in a language of `keep`."""
    heads = texts.str.slice(0, _LOOKED_AT)
    words = heads.str.count_matches(" ", literal=True) + 1
    english = chosen & (heads.str.count_matches(_ENGLISH) >= _ENOUGH * words)
    may_be = ~english | ("en" in keep)
    asked = (chosen & ~english).arg_true()
    answers = pl.Series([_is_one_of(text, keep) for text in heads.gather(asked).to_list()], dtype=pl.Boolean)
    return may_be.scatter(asked, answers) if len(asked) else may_be


def _is_one_of(text: str, keep: tuple[str, ...]) -> bool:
    """Whether a text is in one of these languages, or it cannot be told that it is not."""
    language, sure = _identifier().classify(_CHINESE.sub(" ", text))
    return language in keep or sure < _SURE


@cache
def _identifier() -> LanguageIdentifier:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
