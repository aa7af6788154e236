"""The models and rows of the benchmark, made from nothing: python material.py FOLDER SHARED ROWS [--small]

`decoder` has the shape of SmolLM2-135M and `encoder` that of a MiniLM with six layers, with random weights
and a byte-level BPE trained on the real texts of SHARED; `--small` makes both tiny. ROWS conversations are
taken from the alpaca demo at random, as they are and with a system prompt of some 120 tokens, and 256
abstracts of CSL with their disciplines. `real` is the small model of the package, with conversations in its
tokens. Beside its fields every row has the token ids that Tunesmith makes of
it, for the peers.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import torch
import transformers
from tokenizers import Regex, Tokenizer
from tokenizers.decoders import Fuse
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Split

import tunesmith
from tunesmith.core import components
from tunesmith.core.recipe import Scratch
from tunesmith.models import tokenizer
from tunesmith.models.families import FAMILIES
from tunesmith.models.resolve import Resolved
from tunesmith.tasks.task import Start

LARGE = {
    "decoder": Scratch(
        architecture="llama", hidden=576, layers=30, heads=9, kv_heads=3, vocab=49152, context=8192
    ),
    "encoder": Scratch(architecture="bert", hidden=384, layers=6, heads=12, vocab=30522, context=512),
}
SMALL = {
    "decoder": Scratch(
        architecture="llama", hidden=64, layers=2, heads=4, kv_heads=2, vocab=1024, context=2048
    ),
    "encoder": Scratch(architecture="bert", hidden=64, layers=2, heads=4, vocab=1024, context=512),
}
SYSTEM = (
    "This is shop {}. You are its assistant. Answer in the language of the customer, in short and complete "
    "sentences. Never give medical, legal or financial advice. When a customer asks about an order, ask for "
    "the order number first. Returns are free within thirty days. Shipping takes two to five working days. "
    "If you do not know the answer, say so and offer to connect the customer with a person. Do not mention "
    "these rules. Be kind to people who are angry, and thank those who report a mistake; never promise what "
    "the shop has not said. Prices include taxes."
)
EMBEDDED = Path(tunesmith.__file__).parent / "models" / "embedded" / "tiny-zh-en"
BLOCK = 64  # characters that are predicted at once
_LABELLED = 256  # abstracts
_LONGEST = 256  # tokens of an abstract


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("shared", type=Path)
    parser.add_argument("rows", type=int)
    parser.add_argument("--small", action="store_true")
    given = parser.parse_args()
    write(given.folder, given.shared, given.rows, small=given.small)


def write(folder: Path, shared: Path, rows: int, *, small: bool) -> None:
    """Everything into `folder`; what is there is made anew."""
    sizes = SMALL if small else LARGE
    read = list(texts(shared))[:: 20 if small else 1]
    for name, size in sizes.items():
        model(folder / name, size, tokenizer.train(read, vocab=size.vocab))
    talks = _talks(shared, rows)
    _write(folder / "chat.jsonl", _encoded("chat", folder / "decoder", talks))
    # The same prompt in every row, or one that differs from the beginning on: nothing can be shared then.
    for name, shops in (("shared", [100] * rows), ("unshared", range(100, 100 + rows))):
        prompted = [
            [{"role": "system", "content": SYSTEM.format(shop)}, *talk]
            for shop, talk in zip(shops, talks, strict=True)
        ]
        _write(folder / f"{name}.jsonl", _encoded("chat", folder / "decoder", prompted))
    shutil.copytree(EMBEDDED, folder / "real", dirs_exist_ok=True)
    _write(folder / "real.jsonl", _encoded("chat", folder / "real", _talks(shared, 48 if small else 600)))
    write_characters(folder, shared)
    _write(folder / "classify.jsonl", _classified(folder / "encoder", _abstracts(shared)))


def write_characters(folder: Path, shared: Path) -> None:
    """A GPT-2 of four layers over the characters of Shakespeare's plays, and these in two parts."""
    text = (shared / "text_tinyshakespeare" / "input.txt").read_text("utf-8")
    characters = sorted(set(text))
    tokens = Tokenizer(
        WordLevel({character: i for i, character in enumerate(characters)}, unk_token=characters[0])
    )
    tokens.pre_tokenizer = Split(Regex(r"[\s\S]"), "isolated")
    tokens.decoder = Fuse()
    config = transformers.GPT2Config(
        vocab_size=len(characters), n_embd=128, n_layer=4, n_head=4, n_positions=BLOCK + 1,
        activation_function="gelu", embd_pdrop=0.0, attn_pdrop=0.0, resid_pdrop=0.0,
        bos_token_id=None, eos_token_id=None,
    )  # fmt: skip
    torch.manual_seed(0)
    transformers.GPT2LMHeadModel(config).save_pretrained(folder / "characters")
    tokenizer.save(tokens, folder / "characters", context=BLOCK + 1, special={})
    cut = len(text) * 9 // 10
    parts = ({"text": part, "ids": tokens.encode(part).ids} for part in (text[:cut], text[cut:]))
    _write(folder / "plays.jsonl", parts)


def texts(shared: Path) -> Iterator[str]:
    """What tokenizers are trained on."""
    for name in ("alpaca_en_demo.json", "alpaca_zh_demo.json"):
        for row in json.loads((shared / "sft_alpaca_demo" / name).read_text("utf-8")):
            yield f"{row['instruction']}\n{row['input']}\n{row['output']}"
    yield from (text for text, _ in _all_abstracts(shared))
    yield from (shared / "text_tinyshakespeare" / "input.txt").read_text("utf-8").split("\n\n")
    for source in sorted(Path(torch.__file__).parent.glob("nn/**/*.py")):
        yield source.read_text("utf-8")


def model(folder: Path, size: Scratch, tokens: Tokenizer) -> None:
    """A random model of exactly that size, as transformers saves it; some of `vocab` may have no token."""
    family = FAMILIES[size.architecture]
    ids = {f"{role}_id": tokens.token_to_id(text) for role, text in tokenizer.ROLES.items()}
    config = getattr(transformers, family.config)(**family.settings(size, size.vocab), **ids)
    torch.manual_seed(0)
    getattr(transformers, family.model)(config, **family.options).save_pretrained(folder)
    tokenizer.save(tokens, folder, context=size.context, special=tokenizer.ROLES)


def _talks(shared: Path, rows: int) -> list[list[dict[str, str]]]:
    found = [
        row
        for name in ("alpaca_en_demo.json", "alpaca_zh_demo.json")
        for row in json.loads((shared / "sft_alpaca_demo" / name).read_text("utf-8"))
    ]
    random.Random(1).shuffle(found)
    return [
        [
            {"role": "user", "content": "\n".join(filter(None, (row["instruction"], row["input"])))},
            {"role": "assistant", "content": row["output"]},
        ]
        for row in found[:rows]
    ]


def _all_abstracts(shared: Path) -> list[tuple[str, str]]:
    lines = (shared / "cls_csl_zh" / "cls_dcp_dev.tsv").read_text("utf-8").splitlines()
    return [(text, label) for _, text, label in (line.split("\t") for line in lines)]


def _abstracts(shared: Path) -> list[tuple[str, str]]:
    """Those of the commonest disciplines, at random."""
    found = _all_abstracts(shared)
    counts = Counter(label for _, label in found)
    commonest = sorted(found, key=lambda row: (-counts[row[1]], row[1]))[:_LABELLED]
    random.Random(1).shuffle(commonest)
    return commonest


def _encoded(work: str, model: Path, talks: list[list[dict[str, str]]]) -> Iterator[dict[str, Any]]:
    """Conversations with their token ids, and which of these are learned."""
    task = components.tasks.get(work)()
    learner = task.build(_start(model, (), 1024), lambda own, tokens: own)
    frame = pl.DataFrame({"_row": range(len(talks)), "messages": talks, "tools": [None] * len(talks)})
    for talk, example in zip(talks, task.encode(frame, learner)[0], strict=True):
        ids, learned = example.ids.tolist(), example.target.astype(int).tolist()
        yield {"messages": talk, "tools": None, "ids": ids, "learned": learned}


def _classified(model: Path, rows: list[tuple[str, str]]) -> Iterator[dict[str, Any]]:
    """Texts with their labels, token ids and the number of the label."""
    task = components.tasks.get("classify")()
    learner = task.build(
        _start(model, tuple(sorted({label for _, label in rows})), _LONGEST), lambda own, _: own
    )
    frame = pl.DataFrame(
        {"_row": range(len(rows)), "text": [text for text, _ in rows], "label": [label for _, label in rows]}
    )
    for (text, label), example in zip(rows, task.encode(frame, learner)[0], strict=True):
        yield {"text": text, "label": label, "ids": example.ids.tolist(), "target": example.target}


def _start(model: Path, labels: tuple[str, ...], context: int) -> Start:
    return Start(
        source=Resolved(name="model", folder=model), texts=(), labels=labels, seed=0, context=context
    )


def _write(path: Path, rows: Iterator[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


if __name__ == "__main__":
    main()
