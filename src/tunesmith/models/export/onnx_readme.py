"""How an exported graph is run with nothing of ours: the README of its folder, whose code is tested."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tunesmith.models.classifier import TextClassifier
from tunesmith.models.embedder import TextEmbedder
from tunesmith.models.export import onnx_writer
from tunesmith.models.language import LanguageModel
from tunesmith.models.reader import TextReader
from tunesmith.models.scorer import TextScorer
from tunesmith.models.tagger import TextTagger

if TYPE_CHECKING:
    from tunesmith.models.export.certificate import Exported

FILE = "README.md"

_PAGE = """# {name}

{kind}, exported by Tunesmith as an ONNX graph. Run this in the folder after
`pip install onnxruntime tokenizers numpy`. Any number of texts of up to {context} tokens may be given. {note}
`certificate.json` says how the graph was compared with the model.

由 Tunesmith 导出的 ONNX 计算图。先 `pip install onnxruntime tokenizers numpy`，再在本目录中运行以下代码。
文本条数不限，每条至多 {context} 个词元。`certificate.json` 记录了与原模型的比对结果。

```python
{code}
```
"""

_BEGIN = """\
import json
import numpy as np, onnxruntime, tokenizers

tokenizer = tokenizers.Tokenizer.from_file("tokenizer.json")
session = onnxruntime.InferenceSession("model.onnx")
facts = session.get_modelmeta().custom_metadata_map
"""

_MANY = """\
texts = {texts}
tokenizer.enable_truncation(json.loads(facts["context"]))
tokenizer.enable_padding()
rows = tokenizer.encode_batch(texts)
given = {{"input_ids": [row.ids for row in rows], "attention_mask": [row.attention_mask for row in rows]}}
[found] = session.run(None, {{name: np.array(value) for name, value in given.items()}})
"""

_ONE_BY_ONE = """\
texts = {texts}
tokenizer.enable_truncation(json.loads(facts["context"]))
rows = [tokenizer.encode(text) for text in texts]
found = [session.run(None, {{"input_ids": np.array([row.ids])}})[0][0] for row in rows]
"""

_WRITING = """\
ids, stops = tokenizer.encode("Once upon a time").ids, json.loads(facts["stop_ids"])
while len(ids) < min(64, json.loads(facts["context"])) and ids[-1] not in stops:
    [logits] = session.run(None, {"input_ids": np.array([ids])})
    ids.append(int(logits[0, -1].argmax()))  # the likeliest token
print(tokenizer.decode(ids))
"""

_TEXTS = '["What a lovely day", "今天天气很好"]'
_PAIRS = '[("Where was Ada born?", "Ada was born in London.")]'

_USES: Mapping[type, str] = {
    TextClassifier: 'print([json.loads(facts["labels"])[row.argmax()] for row in found])\n',
    TextTagger: """\
tags = ["O", *(f"{side}-{label}" for label in json.loads(facts["labels"]) for side in "BI")]
for row, logits in zip(rows, found):
    print([(token, tags[i]) for token, i in zip(row.tokens, logits.argmax(-1))])
""",
    TextReader: """\
for row, logits in zip(rows, found):
    begin, end = logits[: len(row.ids)].argmax(0)
    print(row.tokens[begin : end + 1])
""",
    TextEmbedder: "print(np.array(found) @ found[0])  # how alike each text is to the first, 1 at most\n",
    TextScorer: "print([float(score) for score in found])\n",
}

_NOTES: Mapping[type, str] = {
    LanguageModel: "The graph keeps nothing between runs; each reads the whole text.",
    TextTagger: "Tunesmith encodes word by word and chooses the most probable sequence of tags.",
    TextReader: "Tunesmith reads long texts in windows and takes the best pair of beginning and end.",
}


def of(model: Exported) -> str:
    """The page of a model."""
    return _PAGE.format(
        name=model.name,
        kind=f"A model of the kind `{model.kind}`",
        context=model.context,  # type: ignore[union-attr]
        note=_NOTES.get(type(model), ""),
        code=code(model).rstrip(),
    )


def code(model: Any) -> str:
    """The program that runs the graph of a model."""
    if isinstance(model, LanguageModel):
        return _BEGIN + "\n" + _WRITING
    reads = _MANY if onnx_writer.MASK in onnx_writer.inputs(model) else _ONE_BY_ONE
    texts = _PAIRS if isinstance(model, TextReader) else _TEXTS
    return _BEGIN + "\n" + reads.format(texts=texts) + _USES[type(model)]
