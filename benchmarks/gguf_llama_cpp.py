"""Exported GGUF files in llama.cpp: does it read texts, render conversations and continue as we do?

    python benchmarks/gguf_llama_cpp.py [--shared ../shared/data] [--json]

llama-cpp-python is compiled in an environment of its own below build/bench, which takes long. stories260K of
`--shared` and the embedded tiny-zh-en are exported in several precisions. Of each file llama.cpp and we get
the same texts in Chinese and English, which both continue greedily. `ids` and `chats` are the shares of texts
and conversations that get the same token ids. Of what llama.cpp writes, `texts` is the share of whole texts
and `tokens` that of tokens before the first that differs, beside our module in 32 bits; `file_...` the same
beside our own reading of the very file, where only the arithmetic differs. Both compute Q4_0 and Q8_0 from
the same numbers, but llama.cpp rounds activations to 8 bits too.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ENVIRONMENT = HERE.parent / "build" / "bench" / "llama_cpp-env"
SHARED = Path(os.environ.get("TUNESMITH_SHARED_DATA", HERE.parents[1] / "shared" / "data"))
PRECISIONS = ("f16", "q8_0", "q4_0")
TOKENS = 32
PROMPTS = (
    "Once upon a time, there was a little girl named Lily.",
    "Tom and his dog went to the park",
    "The big red ball",
    "One day, a bird sat on a tree and",
    "She said: \"I don't know, but we'll see!\"",
    "  two spaces before and after  ",
    "Numbers: 1, 22, 333 and 4444.5%",
    "a line\nand another\n\n\tafter a tab",
    "Café naïve Zürich - señor, it costs 5 € 😀",
    "</s> and <s> stand for themselves in a text",
    "从前有一座山，山上有一座小庙。",
    "今天的天气很好，我们一起去",
    "请用一句话说明：为什么天空是蓝色的？",
    "订单号 20391 已发货，预计周五送达。",
    "她说：“明天见。”然后",
    "机器学习 is a part of 人工智能 that",
    "床前明月光，疑是地上霜。",
    "你好！请介绍一下你自己。",
    "全角ＡＢＣ　１２３，半角abc 123",
    "生僻字：龘靐齉爩",
    "第一行\n第二行\n",
    "把“小猫”翻译成英文。",
)
CHATS = (
    [{"role": "user", "content": "What is the capital of France?"}],
    [
        {"role": "user", "content": "你好"},
        {"role": "assistant", "content": "你好！有什么可以帮你？"},
        {"role": "user", "content": "讲一个 short story。"},
    ],
)
# Run by the environment of llama.cpp: a file, texts and conversations in, token ids out.
SCRIPT = """
import json, sys
from llama_cpp import Llama
from llama_cpp.llama_chat_format import Jinja2ChatFormatter
path, prompts, chats, count = json.load(sys.stdin)
model = Llama(path, n_ctx=256, n_threads=1, verbose=False, seed=0)
told = model.metadata
bos, eos = (model._model.token_get_text(i) if i >= 0 else "" for i in (model.token_bos(), model.token_eos()))
formatter = Jinja2ChatFormatter(template=told["tokenizer.chat_template"], bos_token=bos, eos_token=eos)
texts = [formatter(messages=chat).prompt for chat in chats]
found = {"chats": [model.tokenize(text.encode(), add_bos=False, special=True) for text in texts]}
found["ids"] = [model.tokenize(prompt.encode(), add_bos=True, special=True) for prompt in prompts]
found["said"] = []
for ids in found["ids"]:
    said = []
    for token in model.generate(ids, temp=0.0, repeat_penalty=1.0):
        if len(said) == count or token == model.token_eos():
            break
        said.append(token)
    found["said"].append(said)
print(json.dumps(found))
"""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--shared", type=Path, default=SHARED, help="folder of the shared data")
    parser.add_argument("--json", action="store_true", help="only the JSON object")
    given = parser.parse_args()
    _prepare()
    found: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for model in _models(given.shared, Path(folder)):
            for precision in PRECISIONS:
                name = f"{model.name} {precision}"
                found[name] = _compared(model, Path(folder) / "model.gguf", precision)
                if not given.json:
                    _row(name, found[name], is_first=len(found) == 1)
    print(json.dumps({"prompts": len(PROMPTS), "files": found}, indent=2))


def _prepare() -> None:
    """Make the environment of llama.cpp when it is not there."""
    if not (ENVIRONMENT / "ready").exists():
        subprocess.run([sys.executable, "-m", "venv", ENVIRONMENT], check=True)
        subprocess.run([ENVIRONMENT / "bin" / "pip", "install", "--quiet", "llama-cpp-python"], check=True)
        (ENVIRONMENT / "ready").touch()


def _models(shared: Path, folder: Path) -> list[Any]:
    from tunesmith.core.workspace import Workspace
    from tunesmith.models import loading
    from tunesmith.models.resolve import Resolved, resolve

    stories = Resolved(name="stories260K", folder=shared / "weights" / "stories260K-hf")
    return [loading.load(it) for it in (stories, resolve("tiny-zh-en", Workspace(folder / "workspace")))]


def _compared(model: Any, path: Path, precision: Any) -> dict[str, float]:
    """What llama.cpp says beside what we say."""
    from tunesmith.models import gguf_reader
    from tunesmith.models.export import gguf_writer
    from tunesmith.models.language import prompt_ids

    gguf_writer.write(model, path, precision=precision)
    theirs = _llama_cpp(path)
    own = [prompt_ids(model.tokenizer, prompt) for prompt in PROMPTS]
    chats = [model.contract.encode(model.tokenizer, chat) for chat in CHATS]
    again = replace(model, module=gguf_reader.read(path).module())
    shares = {"ids": _equal(own, theirs["ids"]), "chats": _equal(chats, theirs["chats"])}
    for name, one in (("", model), ("file_", again)):
        said = _continued(one, theirs["ids"])
        shares[f"{name}texts"] = _equal(said, theirs["said"])
        shares[f"{name}tokens"] = _before_difference(said, theirs["said"])
    return shares


def _llama_cpp(path: Path) -> dict[str, list[list[int]]]:
    asked = json.dumps([str(path), PROMPTS, CHATS, TOKENS])
    said = subprocess.run(
        [ENVIRONMENT / "bin" / "python", "-c", SCRIPT],
        input=asked,
        check=True,
        capture_output=True,
        text=True,
    )
    found: dict[str, list[list[int]]] = json.loads(said.stdout.splitlines()[-1])
    return found


def _continued(model: Any, rows: Sequence[list[int]]) -> list[list[int]]:
    """What a model of ours writes after each row, without the stop at the end."""
    from tunesmith.models.decoder import Decoder

    decoder = Decoder(model.module, max_batch=len(rows))
    sampling = model.sampling(room=TOKENS, max_new_tokens=TOKENS, temperature=0.0)
    found: dict[int, list[int]] = {decoder.add(ids, sampling): [] for ids in rows}
    while decoder.active:
        for token in decoder.step():
            if token.id not in model.contract.stop_ids:
                found[token.handle].append(token.id)
    return list(found.values())


def _equal(ours: Sequence[list[int]], theirs: Sequence[list[int]]) -> float:
    return sum(a == b for a, b in zip(ours, theirs, strict=True)) / len(ours)


def _before_difference(ours: Sequence[list[int]], theirs: Sequence[list[int]]) -> float:
    """The share of tokens before the first that differs, in each text."""
    total = kept = 0
    for one, other in zip(ours, theirs, strict=True):
        pairs = enumerate(zip(one, other, strict=False))
        kept += next((i for i, (a, b) in pairs if a != b), min(len(one), len(other)))
        total += max(len(one), len(other))
    return kept / max(1, total)


def _row(name: str, shares: dict[str, float], *, is_first: bool) -> None:
    if is_first:
        print(" " * 18, *(f"{column:>11}" for column in shares), file=sys.stderr)
    print(f"{name:18}", *(f"{share:11.1%}" for share in shares.values()), file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
