"""A language model ready for use: it continues, it chats, and it ends where it should."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM

from tunesmith.core.errors import ModelError, UsageError
from tunesmith.models import language, loading, tokenizer
from tunesmith.models.contract import TEMPLATES, GenerationDefaults
from tunesmith.models.language import LanguageModel
from tunesmith.models.resolve import Resolved

BEGINNING = "Once upon a time"


@pytest.fixture(scope="module")
def folder(shared_data: Path) -> Path:
    return shared_data / "weights" / "stories260K-hf"


@pytest.fixture(scope="module")
def stories(folder: Path) -> LanguageModel:
    model = loading.load(Resolved(name="stories", folder=folder))
    assert isinstance(model, LanguageModel)
    return model


def test_it_says_what_transformers_says(stories: LanguageModel, folder: Path) -> None:
    theirs = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    ids = torch.tensor([language.prompt_ids(stories.tokenizer, BEGINNING)])
    limits = {"max_new_tokens": 40, "max_length": None, "do_sample": False, "pad_token_id": 0}
    expected = theirs.generate(ids, attention_mask=torch.ones_like(ids), **limits)[0]
    said = stories.generate(BEGINNING, max_new_tokens=40)
    assert BEGINNING + said == stories.tokenizer.decode(expected.tolist())
    assert len(said) > 40


def test_pieces_join_to_the_whole(stories: LanguageModel) -> None:
    pieces = list(stories.continuation(BEGINNING, max_new_tokens=20))
    assert len(pieces) > 5
    assert "".join(pieces) == stories.generate(BEGINNING, max_new_tokens=20)


def test_a_seed_repeats_what_was_drawn(stories: LanguageModel) -> None:
    first, again, other = (
        stories.generate(BEGINNING, max_new_tokens=20, temperature=1.0, seed=seed) for seed in (1, 1, 2)
    )
    assert first == again != other


def test_a_stop_string_ends_the_text_before_it(stories: LanguageModel) -> None:
    whole = stories.generate(BEGINNING, max_new_tokens=60)
    end = whole.index(".")
    assert stories.generate(BEGINNING, max_new_tokens=60, stop=["."]) == whole[:end]


def test_a_chat_is_the_continuation_of_the_rendered_conversation(stories: LanguageModel) -> None:
    turns = [{"role": "user", "content": "Tell me a story."}]
    ids = stories.contract.encode(stories.tokenizer, turns)
    assert stories.chat("Tell me a story.", max_new_tokens=20) == stories.chat(turns, max_new_tokens=20)
    assert stories.tokenizer.decode(ids, skip_special_tokens=False).endswith("Assistant:\n")
    assert "".join(stories.stream(turns, max_new_tokens=20)) == stories.chat(turns, max_new_tokens=20)


def test_a_stop_token_ends_an_answer_and_is_not_shown(stories: LanguageModel) -> None:
    first = stories.tokenizer.encode(stories.generate(BEGINNING, max_new_tokens=1)).ids[-1]
    model = replace(stories, contract=replace(stories.contract, stop_ids=(first,)))
    assert model.generate(BEGINNING, max_new_tokens=20) == ""


def test_it_never_runs_over_its_context(stories: LanguageModel) -> None:
    model = replace(stories, context=24)
    room = 24 - len(language.prompt_ids(model.tokenizer, BEGINNING))
    said = list(model.continuation(BEGINNING, max_new_tokens=500))
    assert len(said) <= room + 1
    with pytest.raises(ModelError) as caught:
        model.generate(BEGINNING * 20)
    assert caught.value.problems[0].code == "M12"


def test_nothing_to_continue_is_answered_or_told(stories: LanguageModel) -> None:
    assert stories.generate("", max_new_tokens=5)
    bare = replace(stories, tokenizer=tokenizer.train(["no frame"], vocab=300))
    bare.tokenizer.post_processor = None
    with pytest.raises(UsageError):
        bare.generate("", max_new_tokens=5)


def test_a_foreign_folder_gets_a_contract_from_its_files(folder: Path, stories: LanguageModel) -> None:
    made = language.contract_of(folder, stories.tokenizer)
    assert (made.bos, made.eos, made.template) == ("<s>", "</s>", TEMPLATES["plain"])
    assert made.stop_ids == (2,)


@pytest.mark.parametrize("form", ["text", "list", "file"])
def test_a_foreign_chat_template_is_found_wherever_it_is_kept(
    folder: Path, stories: LanguageModel, tmp_path: Path, form: str
) -> None:
    for path in folder.glob("*.json"):
        shutil.copy(path, tmp_path)
    template = "{{ messages[0].content }}"
    config = json.loads((tmp_path / "tokenizer_config.json").read_text("utf-8"))
    if form == "file":
        (tmp_path / "chat_template.jinja").write_text(template, "utf-8")
    else:
        named = [{"name": "tool_use", "template": "x"}, {"name": "default", "template": template}]
        config["chat_template"] = template if form == "text" else named
    (tmp_path / "tokenizer_config.json").chmod(0o644)
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(config), "utf-8")
    assert language.contract_of(tmp_path, stories.tokenizer).template == template


def test_every_declared_end_of_text_stops(folder: Path, stories: LanguageModel, tmp_path: Path) -> None:
    for name in ("config.json", "tokenizer_config.json"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    (tmp_path / "generation_config.json").write_text('{"eos_token_id": [2, 7]}', "utf-8")
    assert language.contract_of(tmp_path, stories.tokenizer).stop_ids == (2, 7)


def test_a_stop_of_the_contract_that_is_no_token_ends_an_answer(stories: LanguageModel) -> None:
    whole = stories.chat("Tell me a story.", max_new_tokens=60)
    stop = whole[12:18]
    model = replace(stories, contract=replace(stories.contract, stop=(*stories.contract.stop, stop)))
    assert model.chat("Tell me a story.", max_new_tokens=60) == whole[: whole.index(stop)]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({}, GenerationDefaults()),
        ({"do_sample": True, "temperature": 0.7, "top_p": 0.8, "max_new_tokens": 99},
         GenerationDefaults(max_new_tokens=99, temperature=0.7, top_p=0.8)),
        ({"do_sample": True}, GenerationDefaults(temperature=1.0)),
        ({"do_sample": False, "temperature": 0.7, "top_p": 0.8}, GenerationDefaults()),
        ({"do_sample": True, "temperature": "hot", "top_p": -1, "max_new_tokens": 0},
         GenerationDefaults(temperature=1.0)),
    ],
)  # fmt: skip
def test_generation_is_as_its_makers_say_within_bounds(
    folder: Path, tmp_path: Path, said: dict[str, object], expected: GenerationDefaults
) -> None:
    shutil.copytree(folder, tmp_path / "m")
    (tmp_path / "m" / "generation_config.json").write_text(json.dumps(said), "utf-8")
    found = language.contract_of(tmp_path / "m", tokenizer.load(folder))
    assert found.generation == expected
    assert found.context == 512


def test_a_template_that_does_too_much_keeps_the_model_from_being_loaded(
    folder: Path, tmp_path: Path
) -> None:
    shutil.copytree(folder, tmp_path / "m")
    (tmp_path / "m" / "chat_template.jinja").write_text("{{ 'x' * 10**9 }}", "utf-8")
    with pytest.raises(ModelError) as caught:
        language.contract_of(tmp_path / "m", tokenizer.load(folder))
    assert caught.value.problems[0].code == "M70"
    assert caught.value.problems[0].file == str(tmp_path / "m")
