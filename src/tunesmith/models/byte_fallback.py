"""A character-level BPE that falls back to bytes: what its alphabet lacks is written as `<0x00>` to `<0xFF>`.

The common characters are tokens of their own, so a model that says Chinese rarely has to compose a character
of several tokens, and a piece of its text is rarely cut inside one. The file has the form that Llama's has.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

SPACE = "▁"
# Words with the space before them, single digits, runs of signs, line ends: no token reaches across these.
WORDS = (
    rf"{SPACE}?\p{{Han}}+|{SPACE}?[\p{{L}}&&[^\p{{Han}}]]+|{SPACE}?\p{{N}}"
    rf"|{SPACE}?[^{SPACE}\p{{L}}\p{{N}}\n]+|\n|{SPACE}+"
)
# How much of the vocabulary single characters may take; rarer ones are written as bytes.
_ALPHABET = 0.6
BYTES = tuple(f"<0x{byte:02X}>" for byte in range(256))


def train(
    texts: Iterable[str], *, vocab: int, special: Sequence[str], characters: int | None = None
) -> Tokenizer:
    """A tokenizer of `vocab` tokens: `special`, all bytes, the commonest characters, and their merges.

    Every text can be encoded and comes back as it was, but for U+2581, which stands for a space. Single
    characters are a share of `characters` tokens (of those beside the bytes).
    """
    room = vocab - len(BYTES)
    known = list(texts)
    alphabet = _alphabet(known, int((characters or room) * _ALPHABET))
    learner = Tokenizer(models.BPE())
    learner.normalizer = normalizers.Replace(" ", SPACE)
    learner.pre_tokenizer = pre_tokenizers.Split(Regex(WORDS), "isolated")
    trainer = trainers.BpeTrainer(
        vocab_size=room,
        special_tokens=list(special),
        initial_alphabet=alphabet,
        limit_alphabet=len(alphabet),
        show_progress=False,
    )
    learner.train_from_iterator(known, trainer)
    return _with_bytes(learner, special)


def _alphabet(texts: Iterable[str], size: int) -> list[str]:
    """The commonest characters. The library leaves it to chance which of equally rare ones are among them."""
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(text)
    counts[SPACE] += counts.pop(" ", 0)
    return sorted(sorted(counts, key=lambda character: (-counts[character], character))[:size])


def characters(texts: Iterable[str], *, vocab: int, special: Sequence[str]) -> Tokenizer:
    """A tokenizer with a token for each character of `texts`; those beyond `vocab` are written as bytes."""
    return _tokenizer(_alphabet(texts, vocab - len(BYTES) - len(special)), [], special)


def _with_bytes(learner: Tokenizer, special: Sequence[str]) -> Tokenizer:
    """The merges that were learned, over a vocabulary in which the bytes follow the special tokens."""
    model = json.loads(learner.to_str())["model"]
    ranked = sorted(model["vocab"], key=model["vocab"].__getitem__)
    return _tokenizer(ranked[len(special) :], [tuple(pair) for pair in model["merges"]], special)


def _tokenizer(known: Sequence[str], merges: Sequence[tuple[str, str]], special: Sequence[str]) -> Tokenizer:
    tokens = [*special, *BYTES, *known]
    # No merge reaches across the words of training, so that they need not be found again.
    made = Tokenizer(
        models.BPE(
            vocab={t: i for i, t in enumerate(tokens)},
            merges=list(merges),
            byte_fallback=True,
            fuse_unk=False,
        )
    )
    made.add_special_tokens(list(special))
    made.normalizer = normalizers.Replace(" ", SPACE)
    made.decoder = decoders.Sequence([decoders.Replace(SPACE, " "), decoders.ByteFallback(), decoders.Fuse()])
    return made
