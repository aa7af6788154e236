"""Stems: the part of a word that its forms share, by the rules of Snowball for each language."""

from __future__ import annotations

from collections.abc import Iterable

from tunesmith.core.errors import DataError

_ALGORITHMS = {
    "ar": "arabic", "ca": "catalan", "da": "danish", "de": "german", "el": "greek", "en": "english",
    "es": "spanish", "et": "estonian", "eu": "basque", "fi": "finnish", "fr": "french", "ga": "irish",
    "hi": "hindi", "hu": "hungarian", "hy": "armenian", "id": "indonesian", "it": "italian",
    "lt": "lithuanian", "ne": "nepali", "nl": "dutch", "no": "norwegian", "pt": "portuguese",
    "ro": "romanian", "ru": "russian", "sr": "serbian", "sv": "swedish", "ta": "tamil", "tr": "turkish",
}  # fmt: skip

STEMMED = tuple(_ALGORITHMS)
"""The languages (ISO 639-1) that have rules. Chinese words do not change, so that it needs none."""


def stems(words: Iterable[str], *, lang: str = "en") -> list[str]:
    """The stem of each word, in lower case, in order.

    Raises:
        DataError: D72 when the language has no rules.
    """
    import snowballstemmer

    if lang not in _ALGORITHMS:
        raise DataError("D72", name=lang, known=", ".join(STEMMED))
    # A stemmer holds the word it works on, so that threads must not share one; making it costs nothing.
    found: list[str] = snowballstemmer.stemmer(_ALGORITHMS[lang]).stemWords([word.lower() for word in words])
    return found
