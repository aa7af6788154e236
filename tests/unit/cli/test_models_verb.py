from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tunesmith.cli import layout
from tunesmith.models import adapters, card, loading
from tunesmith.models.card import Base, Card
from tunesmith.models.resolve import Resolved, weights_digest


def names(call, *words):
    found = call("models", "list", "--json", *words).json
    return [row["name"] for row in (*found["releases"], *found["catalogue"])]


def damage(folder, name):
    content = bytearray((Path(folder) / name).read_bytes())
    content[-1] ^= 1
    (Path(folder) / name).write_bytes(content)


def test_the_list_has_releases_and_the_catalogue(call, router):
    assert {"router@1", "minilm", "gpt2", "tfidf"} <= set(names(call))
    assert not {"router@1", "minilm"} & set(names(call, "--task", "chat"))
    said = call("models", "list", "--lang", "zh")
    assert "工作区中的发布" in said.out
    assert call("models", "list", "--task", "chatt").code == 3


def test_a_damaged_release_does_not_hide_the_others(call, publish):
    publish(), publish(6)
    damaged = call("models", "show", "router@1", "--json").json["folder"]
    (Path(damaged) / "tunesmith.json").write_text("{")
    found = call("models", "list", "--json").json["releases"]
    assert [row["problem"] for row in found] == ["M06", None]


def test_show_tells_the_size_without_loading(call, stories):
    known = call("models", "show", stories, "--json").json
    config = json.loads((stories / "config.json").read_text())
    module = loading.language_module(stories)
    assert known["parameters"] == sum(p.numel() for p in module.parameters())
    assert known["layers"] == config["num_hidden_layers"]
    assert known["contract"]["stop"] == ["</s>"]
    assert known["tokenizer"] == {"kind": "bpe_fallback", "size": 512, "special": ["<unk>", "<s>", "</s>"]}
    assert known["fit"]["full_bytes"] > known["fit"]["lora_bytes"] > known["fit"]["serve_bytes"] > 0


def test_a_page_about_a_model_fits_into_a_terminal(call):
    said = call("models", "show", "tiny-zh-en", "--lang", "zh").out
    assert said.count("提示契约") == 1
    assert "bpe_fallback，8192 个词元" in said
    assert all(layout.width(line) <= 80 for line in said.splitlines() if "tiny-zh-en" not in line)
    far = call("models", "show", "llama-3.1-8b").out
    assert "serve 33.3 GiB" in " ".join(far.split())


def test_show_asks_no_network_for_a_model_that_is_not_here(call):
    known = call("models", "show", "gpt2", "--json").json
    assert (known["installed"], known["licence"], known["folder"]) == (False, "MIT", None)
    assert call("models", "show", "some/model").code == 4


def test_aliases_move_forth_and_back(call, publish):
    publish(), publish(6)
    refused = call("models", "promote", "router@1")
    assert (refused.code, "error[C27]" in refused.err) == (7, True)
    assert call("models", "promote", "router@1", "--reason", "the first").code == 0
    moved = call("models", "promote", "router@2", "--reason", "better", "--json").json
    assert moved == {"name": "router", "alias": "production", "version": 2, "previous": 1}
    assert call("models", "show", "router@production", "--json").json["name"] == "router@2"
    assert "从版本 2 改为 1" in call("models", "rollback", "router", "--lang", "zh").out
    assert "already" in call("models", "promote", "router@1").out


@pytest.mark.parametrize(
    ("words", "code", "expected"),
    [
        (("promote", "router"), 2, "U06"),
        (("promote", "router@9"), 4, "C07"),
        (("promote", "router@1", "--alias", "No Good"), 2, "U05"),
        (("rollback", "router"), 1, "C09"),
        (("rollback", "nosuch"), 4, "C07"),
        (("remove", "router"), 2, "U06"),
        (("verify", "nosuch"), 4, "M01"),
        (("add", "nosuch"), 4, "M01"),
    ],
)
def test_what_cannot_be_done_is_refused_with_a_reason(call, router, words, code, expected):
    said = call("models", *words)
    assert said.code == code
    assert f"error[{expected}]" in said.err


def test_without_a_workspace_there_are_no_releases_and_none_is_made(call, workspace):
    for words in (("promote", "a@1"), ("rollback", "a"), ("remove", "a@1")):
        assert call("models", *words).code == 4
    assert not workspace.root.exists()


def test_a_flipped_byte_is_found_and_its_file_named(call, router):
    assert call("models", "verify", "router", "--json").json["ok"] is True
    damage(router.folder, "tfidf.safetensors")
    said = call("models", "verify", "router")
    assert said.code == 3
    assert "tfidf.safetensors" in said.err


def test_a_model_that_is_added_is_a_copy(call, stories, tmp_path):
    mine = tmp_path / "My Model.v1"
    shutil.copytree(stories, mine)
    (mine / "train.py").write_text("print('never copied')")
    added = call("models", "add", mine, "--json").json
    assert added["release"] == "my-model-v1@1"
    assert not (Path(added["folder"]) / "train.py").exists()
    damage(mine, "model.safetensors")
    assert call("models", "verify", "my-model-v1").code == 0
    assert call("models", "add", stories, "--name", "my-model-v1", "--json").json == added


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda folder: (folder / "model.safetensors").rename(folder / "pytorch_model.bin"), "M50"),
        (lambda folder: (folder / "config.json").unlink(), "M04"),
        (lambda folder: (folder / "tokenizer.json").write_text("{}"), "M05"),
        (lambda folder: (folder / "model.safetensors").write_bytes(b"\xff" * 64), "M52"),
    ],
)
def test_a_folder_that_is_no_safe_whole_model_is_not_added(
    call, stories, tmp_path, workspace, change, expected
):
    mine = tmp_path / "mine"
    shutil.copytree(stories, mine)
    for path in (mine, *mine.iterdir()):
        path.chmod(0o755)
    change(mine)
    said = call("models", "add", mine)
    assert said.code == 3
    assert f"error[{expected}]" in said.err
    assert not workspace.root.exists()


def test_a_release_is_removed_with_its_files_unless_an_alias_points_to_it(call, publish):
    first, _ = publish(), publish(6)
    call("models", "promote", "router@1", "--reason", "first")
    refused = call("models", "remove", "router@1")
    assert refused.code == 1
    assert "production" in refused.err
    call("models", "promote", "router@2", "--reason", "second")
    assert call("models", "remove", "router@1").code == 0
    assert not Path(first.folder).exists()
    assert "router@1" not in names(call)


def test_a_removed_version_is_not_replaced_by_another_of_the_same_number(call, publish):
    publish(), publish(6)
    call("models", "promote", "router@1", "--reason", "1")
    call("models", "promote", "router@2", "--reason", "2")
    call("models", "rollback", "router"), call("models", "remove", "router@2")
    assert publish(5).version == 3


@pytest.fixture
def adapter(stories, tmp_path, call):
    """A release `base` and a folder with an adapter on it."""
    base = Path(call("models", "add", stories, "--name", "base", "--json").json["folder"])
    module = loading.language_module(base)
    adapters.add(module, rank=2, alpha=4, targets="all-linear")
    for _, lora in adapters.adapters(module):
        lora.lora_B.data.fill_(0.2)
    folder = tmp_path / "adapter"
    folder.mkdir()
    adapters.save(module, folder, base=str(base), task_type="CAUSAL_LM")
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json"):
        shutil.copyfile(base / name, folder / name)
    origin = Base(name="base", folder=str(base), weights=weights_digest(base))
    Card(kind="language", task="chat", base=origin).save(folder)
    return folder


def test_a_base_stays_while_an_adapter_needs_it(call, adapter):
    call("models", "add", adapter, "--name", "tuned")
    said = call("models", "remove", "base@1", "--lang", "zh")
    assert said.code == 1
    assert "tuned@1 是它的适配器" in said.err
    assert "tuned@1" in call("models", "adapters", "base@1").out
    removed = call("models", "remove", "tuned@1", "--json").json
    assert removed == {"release": "tuned@1", "removed": True}
    assert call("models", "adapters", "base@1", "--json").json["adapters"] == []
    assert "error[C07]" in call("models", "remove", "tuned@1").err
    assert call("models", "remove", "base@1").code == 0


def test_verify_looks_at_the_base_of_an_adapter_too(call, adapter):
    base = Path(card.read(adapter).base.folder)
    call("models", "add", adapter, "--name", "tuned")
    assert call("models", "verify", "tuned").code == 0
    damage(base, "model.safetensors")
    assert "error[M07]" in call("models", "verify", "tuned").err
    shutil.rmtree(base)
    assert "error[M22]" in call("models", "verify", "tuned").err


def test_an_exported_adapter_needs_no_base_and_answers_the_same(call, adapter, tmp_path):
    question = ("Tell me", "--max-new-tokens", 16)
    before, plain = call("ask", adapter, *question), call("ask", "base", *question)
    assert before.out != plain.out
    assert call("models", "export", adapter, "--to", "whole", "--json").json["path"] == "whole"
    shutil.rmtree(adapter)
    call("models", "remove", "base@1")
    assert call("ask", "./whole", *question).out == before.out
    assert call("models", "verify", "./whole").code == 0
    assert card.read(tmp_path / "whole").base is None


def test_an_export_overwrites_nothing(call, stories, tmp_path):
    (tmp_path / "here").mkdir()
    said = call("models", "export", stories, "--to", "here")
    assert said.code == 2
    assert not list((tmp_path / "here").iterdir())


def test_transformers_reads_an_export_and_says_the_same(call, stories, tmp_path):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    call("models", "export", stories, "--to", "whole")
    module = AutoModelForCausalLM.from_pretrained(tmp_path / "whole", trust_remote_code=False)
    tokens = AutoTokenizer.from_pretrained(tmp_path / "whole", trust_remote_code=False)
    turns = [{"role": "user", "content": "Tell me"}]
    ids = tokens.apply_chat_template(turns, add_generation_prompt=True, return_tensors="pt")["input_ids"]
    made = module.generate(ids, max_new_tokens=16, max_length=None, do_sample=False)[0][ids.shape[1] :]
    ours = loading.load(Resolved(name="stories", folder=stories))
    assert (
        tokens.decode(made, skip_special_tokens=True).strip()
        == ours.chat("Tell me", max_new_tokens=16).strip()
    )


def test_a_classifier_is_exported_whole(call, router, tmp_path):
    call("models", "export", "router", "--to", "whole")
    assert call("ask", "./whole", "my card", "--json").json["label"] == "card"


@pytest.mark.parametrize(("template", "expected"), [("{{ 'x' * 10**9 }}", "M70"), ("{% for %}", "M10")])
def test_a_model_with_a_harmful_template_is_not_taken_in(call, stories, tmp_path, template, expected):
    mine = tmp_path / "mine"
    shutil.copytree(stories, mine)
    (mine / "chat_template.jinja").write_text(template)
    said = call("models", "add", mine)
    assert said.code == 3
    assert f"error[{expected}]" in said.err
    assert "mine" not in call("models", "list", "--json").out


def test_verify_says_what_was_compared(call, stories):
    call("models", "add", stories, "--name", "stories")
    prompts = call("models", "verify", "stories", "--json").json["prompts"]
    assert prompts["same"] is True
    assert prompts["conversations"] >= 30
    assert "training, evaluation, serving and export" in call("models", "verify", "stories").out
