"""How models write calls of tools, read off their templates."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tunesmith.models import scratch, tokenizer
from tunesmith.models.calls import CallForm, form_of
from tunesmith.models.contract import TEMPLATES

FOLDER = Path(__file__).parent / "templates"
CONTRACT = scratch.contract(tokenizer.train(["Where is my parcel?"], vocab=340))
HERMES = CallForm(
    before='<tool_call>\n{"name": "',
    between='", "arguments": ',
    middle='}\n</tool_call>\n<tool_call>\n{"name": "',
    after="}\n</tool_call>",
)
MISTRAL = CallForm(
    before='[TOOL_CALLS] [{"name": "',
    between='", "arguments": ',
    middle=', "id": "call00000"}, {"name": "',
    after=', "id": "call00000"}]',
)


@pytest.mark.parametrize(
    ("template", "form"),
    [("hermes", HERMES), ("qwen2.5", HERMES), ("qwen3", HERMES), ("mistral-v3", MISTRAL),
     ("gemma2", None), ("chatglm", None), ("llama2", None)],
)  # fmt: skip
def test_the_form_of_calls_is_found(template: str, form: CallForm | None) -> None:
    text = (FOLDER / f"{template}.jinja").read_text(encoding="utf-8")
    contract = replace(CONTRACT, template=text, stop=("<|im_end|>", "</s>"), bos="<s>", eos="</s>")
    assert form_of(contract) == form


@pytest.mark.parametrize("name", sorted(TEMPLATES))
def test_own_templates_write_calls(name: str) -> None:
    assert form_of(replace(CONTRACT, template=TEMPLATES[name])) == HERMES
