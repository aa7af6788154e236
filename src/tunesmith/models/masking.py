"""Which tokens of a text are hidden from an encoder, and what it sees in their place (Devlin et al. 2019).

It knows token ids, and nothing of models. What stands in the place of hidden tokens is a function of the text
and of which they are: the same question is asked the same way each time.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import AddedToken, Tokenizer

SHARE = 0.15
"""How much of a text is hidden."""
# Of what is hidden, so much is the mask, and so much a token drawn at random; the rest is shown after all.
_MASKED, _DRAWN = 0.8, 0.1
_NAMES = ("[MASK]", "<mask>")
_OWN = "<mask>"

Ids = NDArray[np.integer[Any]]


def token(tokenizer: Tokenizer) -> str:
    """The mask of a tokenizer; one that has none gets it, as its last token."""
    for name in _NAMES:
        if tokenizer.token_to_id(name) is not None:
            return name
    # The space before a word belongs to the word's token, and so to the mask in its place.
    tokenizer.add_special_tokens([AddedToken(_OWN, lstrip=True, special=True)])
    return _OWN


def written(text: str, tokenizer: Tokenizer) -> str:
    """The text with the tokenizer's own mask, whichever usual mask was written."""
    own = token(tokenizer)
    for name in _NAMES:
        text = text.replace(name, own)
    return text


@dataclass(frozen=True, slots=True, eq=False)
class Masking:
    """The id of the mask, the ids that only frame texts, and all others."""

    mask: int
    special: Ids
    ordinary: Ids

    def choose(self, ids: Ids, random: np.random.Generator | None = None) -> NDArray[np.int16]:
        """What is hidden of a text [tokens]: 1, and -1 for all else; without `random` always the same.

        At least one token is, unless the text has none but special ones.
        """
        target = np.full(len(ids), -1, dtype=np.int16)
        places = np.flatnonzero(~np.isin(ids, self.special))
        count = min(len(places), max(1, round(SHARE * len(places))))
        target[(random or _random(ids)).permutation(places)[:count]] = 1
        return target

    def shown(self, ids: Ids, target: NDArray[np.int16]) -> NDArray[np.int32]:
        """What the encoder sees of a text of which some is hidden: [tokens]."""
        seen = ids.astype(np.int32)
        places = np.flatnonzero(target > 0)
        random = _random(ids, target)
        dice = random.random(len(places))
        drawn = random.choice(self.ordinary, len(places))
        seen[places[dice < _MASKED + _DRAWN]] = drawn[dice < _MASKED + _DRAWN]
        seen[places[dice < _MASKED]] = self.mask
        return seen


@lru_cache(maxsize=2)
def of(tokenizer: Tokenizer) -> Masking:
    """How texts of a tokenizer are masked."""
    mask = int(tokenizer.token_to_id(token(tokenizer)))  # type: ignore[arg-type]
    special = sorted(i for i, known in tokenizer.get_added_tokens_decoder().items() if known.special)
    ordinary = sorted({*tokenizer.get_vocab().values()}.difference(special, [mask]))
    return Masking(mask, np.array([*special, mask]), np.array(ordinary))


def _random(*arrays: Ids) -> np.random.Generator:
    """Random numbers that follow from some integers."""
    content = b"".join(array.astype(np.int32).tobytes() for array in arrays)
    return np.random.Generator(np.random.Philox(key=zlib.crc32(content)))
