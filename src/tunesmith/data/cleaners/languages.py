"""Rows in languages that are not wanted: the script tells most, py3langid the rest."""

from __future__ import annotations

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

# Words that are frequent in English and in no other language; a text with enough of them is English.
_ENGLISH = r"(?i-u:\b(?:the|and|that|with|this|have|from|you|what|which|how|are|of)\b)"
_ENOUGH = 0.08
_LOOKED_AT = 1000
_SURE = 0.8


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
    counts = scripts.counts(texts)
    weights = counts.select(
        han=_HAN_WEIGHT * pl.col("han"),
        kana=pl.col("kana"),
        **{script: pl.col(script) for script in _ALONE},
        shared=pl.sum_horizontal(_SHARED),
    )
    japanese = pl.col("kana") > _JAPANESE * (pl.col("kana") + pl.col("han") / _HAN_WEIGHT)
    east = pl.when(japanese).then(pl.lit("ja" in keep)).otherwise(pl.lit("zh" in keep))
    total = pl.sum_horizontal(pl.all())
    shared = _may_be(texts, weights.select(pl.col("shared") >= _TELLING).to_series(), keep)
    known = [pl.col(script) * (language in keep) for script, language in _ALONE.items()]
    found = (
        (pl.col("han") + pl.col("kana")) * east + pl.col("shared") * pl.lit(shared) + pl.sum_horizontal(known)
    )
    telling = pl.when(total >= _TELLING).then(found / total)
    return weights.select(share=telling)["share"]


def _may_be(texts: pl.Series, chosen: pl.Series, keep: tuple[str, ...]) -> pl.Series:
    """Whether the part of a text in Latin or another shared script may be in a language of `keep`."""
    heads = texts.str.slice(0, _LOOKED_AT)
    words = heads.str.count_matches(r"[A-Za-z]+")
    english = (heads.str.count_matches(_ENGLISH) >= _ENOUGH * words) & (words > 0)
    asked = (chosen & ~english.fill_null(False)).arg_true()
    answers = pl.Series([_is_one_of(text, keep) for text in heads.gather(asked).to_list()], dtype=pl.Boolean)
    may = pl.select(pl.when(chosen & english).then(pl.lit("en" in keep)).otherwise(True)).to_series()
    return may.scatter(asked, answers) if len(asked) else may


def _is_one_of(text: str, keep: tuple[str, ...]) -> bool:
    """Whether a text is in one of these languages, or it cannot be told that it is not."""
    language, sure = _identifier().classify(_only_shared(text))
    return language in keep or sure < _SURE


def _only_shared(text: str) -> str:
    """Without Chinese, which would decide."""
    return "".join(" " if "\u3000" <= character <= "\u9fff" else character for character in text)


@cache
def _identifier() -> LanguageIdentifier:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
