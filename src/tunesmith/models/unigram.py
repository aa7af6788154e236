"""A unigram tokenizer that falls back to bytes: of all ways to cut a text, it takes the most probable.

Kudo (2018), Subword Regularization, with the best cut in place of all cuts weighed by their probability. The
library's own trainer gives another vocabulary each time, so that nothing made with it could be made again.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers

from tunesmith.models import byte_fallback
from tunesmith.models.byte_fallback import BYTES, SPACE, WORDS

_ROUNDS = 3  # of counting, before and after pieces are dropped
_CANDIDATES = 2  # times as many pieces as are kept


def train(texts: Iterable[str], *, vocab: int, special: Sequence[str]) -> Tokenizer:
    """A tokenizer of `vocab` tokens: `special`, all bytes, common characters, and the likeliest pieces.

    Every text can be encoded and comes back as it was, but for U+2581, which stands for a space.
    """
    known = list(texts)
    room = vocab - len(BYTES) - len(special)
    words = _words(known)
    # Merges that occur often are a good guess at the pieces that are worth having.
    guess = byte_fallback.train(
        known, vocab=_CANDIDATES * room + len(BYTES) + len(special), special=special, characters=room
    )
    pieces = sorted(set(guess.get_vocab()) - {*special, *BYTES})
    counts = _counts(dict.fromkeys(pieces, 1), words, special)
    return _tokenizer(_counts(_kept(counts, room), words, special), special)


def _words(texts: Iterable[str]) -> Counter[str]:
    """The words of training with how often each occurs."""
    splitter = pre_tokenizers.Split(Regex(WORDS), "isolated")
    found: Counter[str] = Counter()
    for text in texts:
        found.update(word for word, _ in splitter.pre_tokenize_str(text.replace(" ", SPACE)))
    return Counter(dict(sorted(found.items())))


def _counts(pieces: Mapping[str, int], words: Counter[str], special: Sequence[str]) -> dict[str, int]:
    """How often each piece is used, when words are cut by counts that follow from their cuts."""
    found = dict(pieces)
    for _ in range(_ROUNDS):
        cuts = _tokenizer(found, special).encode_batch(list(words), add_special_tokens=False)
        used: Counter[str] = Counter()
        for cut, times in zip(cuts, words.values(), strict=True):
            for token in cut.tokens:
                used[token] += times
        found = {piece: used[piece] for piece in pieces}
    return found


def _kept(counts: Mapping[str, int], room: int) -> dict[str, int]:
    """All single characters, without which words cannot be cut, and the pieces used most."""
    ranked = sorted(counts, key=lambda piece: (len(piece) > 1, -counts[piece], piece))
    return {piece: counts[piece] for piece in ranked[:room]}


def _tokenizer(counts: Mapping[str, int], special: Sequence[str]) -> Tokenizer:
    total = sum(counts.values()) + len(counts)
    scores = {piece: math.log((count + 1) / total) for piece, count in counts.items()}
    # What has a name of its own is never a piece of a text: a byte is taken where a character is not known.
    named = [(token, 2 * min(scores.values(), default=-1.0)) for token in (*special, *BYTES)]
    made = Tokenizer(models.Unigram([*named, *scores.items()], unk_id=0, byte_fallback=True))
    made.add_special_tokens(list(special))
    made.normalizer = normalizers.Replace(" ", SPACE)
    # Digits and signs stand apart, so that a text that reads `<0x41>` is not taken for a byte.
    made.pre_tokenizer = pre_tokenizers.Split(Regex(WORDS), "isolated")
    made.decoder = decoders.Sequence([decoders.Replace(SPACE, " "), decoders.ByteFallback(), decoders.Fuse()])
    return made
