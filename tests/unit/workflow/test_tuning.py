"""Conversations taught to a small story teller, in full and as an adapter: every copy answers alike."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

import tunesmith
from tunesmith.core.events import Step
from tunesmith.workflow import exporting

pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")
QUESTIONS = ("Describe a process of making crepes.", "Tell me a story about a cat.", "你好")


@pytest.fixture(params=["full", "lora"])
def taught(request: pytest.FixtureRequest, chat: Any) -> Any:
    """The desk after the run."""
    chat.values["train"]["method"] = request.param
    chat.values["publish"] = {"name": "assistant"}
    chat.run()
    return chat


def answers(model: Any) -> list[str]:
    return [model.chat(question, max_new_tokens=24) for question in QUESTIONS]


def test_the_loss_falls_and_every_copy_answers_alike(taught: Any, tmp_path: Path) -> None:
    run = taught.plan().run
    losses = [event.loss for event in run.events.read() if isinstance(event, Step)]
    quarter = len(losses) // 4
    assert sum(losses[-quarter:]) < 0.9 * sum(losses[:quarter])

    trained = tunesmith.load("assistant", workspace=taught.workspace)
    said = answers(trained)
    assert said == answers(tunesmith.load(run.model, workspace=taught.workspace))
    assert said != answers(tunesmith.load(taught.values["model"], workspace=taught.workspace))

    merged = tmp_path / "merged"
    exporting.export("assistant", taught.workspace, merged)
    assert answers(tunesmith.load(merged, workspace=taught.workspace)) == said
    assert not (merged / "adapter_config.json").exists()


def test_peft_reads_the_adapter_with_the_same_logits(chat: Any) -> None:
    chat.run("train.method={name: lora, rank: 4, dropout: 0.1}", "train.epochs=1")
    folder = chat.plan("train.method={name: lora, rank: 4, dropout: 0.1}", "train.epochs=1").run.model
    ours: Any = tunesmith.load(folder, workspace=chat.workspace)
    base = AutoModelForCausalLM.from_pretrained(chat.values["model"], dtype=torch.float32)
    theirs = PeftModel.from_pretrained(base, str(folder)).eval()
    ids = torch.tensor([[1, 50, 60, 70, 80]])
    with torch.inference_mode():
        torch.testing.assert_close(
            theirs(input_ids=ids).logits, ours.module(input_ids=ids).logits, rtol=0, atol=1e-4
        )


def test_an_exported_model_chats_in_plain_transformers_with_the_same_tokens(
    chat: Any, tmp_path: Path
) -> None:
    chat.values["publish"] = {"name": "assistant"}
    chat.run("train.method=lora", "train.epochs=1")
    folder = tmp_path / "merged"
    exporting.export("assistant", chat.workspace, folder, lang="zh")
    card = (folder / "README.md").read_text("utf-8")
    assert card.startswith("---\n")
    assert card.index("# assistant") < card.index("## 导出")
    ours: Any = tunesmith.load(folder, workspace=chat.workspace)
    tokens = AutoTokenizer.from_pretrained(folder)
    theirs = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    turns = [{"role": "user", "content": QUESTIONS[0]}]
    ids = tokens.apply_chat_template(turns, add_generation_prompt=True, return_tensors="pt", return_dict=True)
    assert ids["input_ids"][0].tolist() == ours.contract.encode(ours.tokenizer, turns)
    limits = {"max_new_tokens": 24, "max_length": None, "do_sample": False}
    found = theirs.generate(**{k: ids[k] for k in ("input_ids", "attention_mask")}, **limits)
    new = found[0][ids["input_ids"].shape[1] :].tolist()
    assert ours.tokenizer.decode(new).strip() == ours.chat(turns, max_new_tokens=24).strip()


def test_an_adapter_can_be_taught_further(chat: Any) -> None:
    chat.values["publish"] = {"name": "assistant"}
    chat.run("train.method=lora", "train.epochs=0.5")
    first = tunesmith.load("assistant@1", workspace=chat.workspace)
    chat.run("train.method=lora", "train.epochs=0.5", "model=assistant@1")
    second: Any = tunesmith.load("assistant@2", workspace=chat.workspace)
    assert answers(second) != answers(first)


def test_the_report_shows_what_the_model_says(chat: Any) -> None:
    chat.run("train.epochs=0.3")
    report = json.loads(chat.plan("train.epochs=0.3").run.report.read_text("utf-8"))
    assert report["samples"]
    assert {"prompt", "answer", "expected"} <= report["samples"][0].keys()
    assert report["scores"]["perplexity"] > 1


def test_an_exported_classifier_keeps_its_answers_and_its_encoder_is_plain(bert: Any, tmp_path: Path) -> None:
    bert.values["publish"] = {"name": "router"}
    bert.run()
    folder = tmp_path / "out"
    exporting.export("router", bert.workspace, folder)
    texts = ["Where is my card?", "How do I change my PIN?"]
    ours: Any = tunesmith.load("router", workspace=bert.workspace)
    copy: Any = tunesmith.load(folder, workspace=bert.workspace)
    assert (ours.predict(texts) == copy.predict(texts)).all()
    assert AutoTokenizer.from_pretrained(folder)(texts[0])["input_ids"] == ours.tokenizer.encode(texts[0]).ids
