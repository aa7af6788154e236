"""WordPiece over bytes: pieces within a word begin with `##`, and no text is unknown.

The library's WordPiece knows no bytes and gives up on long words. Here every byte is a character, as in
byte-level BPE, each stands in the vocabulary as the beginning and as the inside of a word, and long words are
cut before they are looked up.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

_INSIDE = "##"
_LONGEST = 64  # bytes of a word that is looked up as a whole: the time grows with their square
_ALPHABET = sorted(pre_tokenizers.ByteLevel.alphabet())
_INNER = [_INSIDE + character for character in _ALPHABET]


def train(texts: Iterable[str], *, vocab: int, special: Sequence[str]) -> Tokenizer:
    """A tokenizer of `vocab` tokens: `special`, all bytes twice, and pieces; texts come back as they were."""
    learner = Tokenizer(models.WordPiece())
    learner.pre_tokenizer = _words()
    trainer = trainers.WordPieceTrainer(
        vocab_size=vocab,
        # Named first, so that the order in which words are met decides nothing.
        special_tokens=[*special, *_INNER],
        initial_alphabet=_ALPHABET,
        show_progress=False,
    )
    learner.train_from_iterator(texts, trainer)
    made = Tokenizer(models.WordPiece(vocab=learner.get_vocab(), max_input_chars_per_word=_LONGEST))
    made.add_special_tokens(list(special))
    made.pre_tokenizer = _words()
    made.decoder = decoders.Sequence([decoders.Replace(_INSIDE, ""), decoders.ByteLevel()])
    return made


def _words() -> pre_tokenizers.PreTokenizer:
    # A `#` stands alone: a word that begins with `##` would look like the inside of one.
    return pre_tokenizers.Sequence(
        [
            pre_tokenizers.ByteLevel(add_prefix_space=False),
            pre_tokenizers.Split("#", "isolated"),
            pre_tokenizers.Split(Regex(f".{{1,{_LONGEST}}}"), "isolated"),
        ]
    )
