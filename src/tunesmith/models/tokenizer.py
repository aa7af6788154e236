"""Tokenizers of the `tokenizers` library: read from a model folder, or trained on a user's texts."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

from tunesmith.core.errors import ModelError
from tunesmith.models import byte_fallback, unigram, word_piece
from tunesmith.models.json_file import read_json

FILE = "tokenizer.json"
PAD, BOS, EOS = "<pad>", "<s>", "</s>"
TURN_START, TURN_END = "<|im_start|>", "<|im_end|>"
SPECIAL = (PAD, BOS, EOS, TURN_START, TURN_END)
ROLES = {"pad_token": PAD, "bos_token": BOS, "eos_token": EOS}


def load(folder: Path) -> Tokenizer:
    """The tokenizer of a model folder, without truncation or padding.

    Raises:
        ModelError: M05 when the folder has no usable tokenizer.json.
    """
    path = folder / FILE
    try:
        tokenizer: Tokenizer = Tokenizer.from_file(str(path))
    except BaseException as error:
        # A damaged file makes the Rust parser panic, which is not an `Exception`.
        if isinstance(error, KeyboardInterrupt):
            raise
        raise ModelError("M05", file=path, reason=str(error)) from error
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def train(texts: Iterable[str], *, vocab: int, kind: str = "bpe") -> Tokenizer:
    """A tokenizer trained on `texts`: every text can be encoded, nothing becomes unknown.

    `bpe` and `wordpiece` are over bytes, `bpe_fallback` and `unigram` over characters, the rare of which are
    written as bytes; `characters` is one token for each. Sequences are framed by `<s>` and `</s>` unless
    encoded without special tokens.
    """
    tokenizer = KINDS[kind](texts, vocab=vocab, special=SPECIAL)
    frame = [(BOS, tokenizer.token_to_id(BOS)), (EOS, tokenizer.token_to_id(EOS))]
    tokenizer.post_processor = processors.TemplateProcessing(single=f"{BOS} $A {EOS}", special_tokens=frame)
    return tokenizer


def _byte_level(texts: Iterable[str], *, vocab: int, special: Sequence[str]) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab,
        special_tokens=list(special),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


KINDS: Mapping[str, Callable[..., Tokenizer]] = {
    "bpe": _byte_level,
    "bpe_fallback": byte_fallback.train,
    "characters": byte_fallback.characters,
    "wordpiece": word_piece.train,
    "unigram": unigram.train,
}


def save(tokenizer: Tokenizer, folder: Path, *, context: int, special: Mapping[str, str]) -> None:
    """Write a tokenizer the way `transformers` reads it; `special` names its special tokens by role."""
    tokenizer.save(str(folder / FILE))
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": context,
        "clean_up_tokenization_spaces": False,
        **{role: text for role, text in special.items() if text},
    }
    (folder / "tokenizer_config.json").write_text(
        json.dumps(config, ensure_ascii=False, indent=1), encoding="utf-8"
    )


def special_tokens(folder: Path) -> dict[str, str]:
    """The texts of bos_token, eos_token, pad_token as far as the folder's files name them."""
    found: dict[str, str] = {}
    for name in ("special_tokens_map.json", "tokenizer_config.json"):
        for key, value in read_json(folder / name).items():
            text = value.get("content") if isinstance(value, dict) else value
            if key in ROLES and text:
                found[key] = text
    return found
