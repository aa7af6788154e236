"""`models verify`: the same token ids in training, evaluation, when served and from the exported files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tunesmith.core import durable
from tunesmith.core.errors import ModelError, TunesmithError
from tunesmith.core.workspace import Workspace
from tunesmith.models import scratch, tokenizer
from tunesmith.models.card import Card
from tunesmith.models.contract import TEMPLATES, PromptContract
from tunesmith.workflow import releases, verifying

OWN = tokenizer.train(["Hello, how are you?", "你好，请问包裹到哪里了？"] * 3, vocab=400)
CONTRACT = scratch.contract(OWN)


def saved(folder: Path, contract: PromptContract = CONTRACT) -> Path:
    with durable.new_folder(folder) as made:
        tokenizer.save(OWN, made, context=64, special={"bos_token": contract.bos, "eos_token": contract.eos})
        contract.save(made)
        Card(kind="language", context=64).save(made)
    return folder


def rewritten(folder: Path, name: str, change: Any) -> None:
    """Change a file and make the manifest fit again, as somebody might who means well."""
    text = (folder / name).read_text("utf-8")
    assert change(text) != text
    (folder / name).write_text(change(text), "utf-8")
    digest_free = {path.name: path.read_bytes() for path in folder.iterdir() if path.name != durable.MANIFEST}
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    with durable.new_folder(folder) as made:
        for file, content in digest_free.items():
            (made / file).write_bytes(content)


@pytest.mark.parametrize("template", TEMPLATES)
def test_the_built_in_templates_agree_on_all_conversations(tmp_path: Path, template: str) -> None:
    made = CONTRACT.with_template(TEMPLATES[template], OWN)
    found = verifying.contract(saved(tmp_path / "model", replace(made, system="Be brief. 请简短。")))
    assert found.problem is None
    assert found.conversations == len(verifying.conversations()) >= 30
    assert found.prompts > found.conversations
    assert found.refused == {}


def test_a_template_without_tools_is_compared_on_the_others(tmp_path: Path) -> None:
    turns = (
        "{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' + m.content + '<|im_end|>' }}{% endfor %}"
    )
    made = CONTRACT.with_template(
        turns + "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}", OWN
    )
    found = verifying.contract(saved(tmp_path / "model", made))
    assert found.problem is None
    assert found.conversations >= 30
    assert set(found.refused.values()) == {"M30"}


@pytest.mark.parametrize(
    ("file", "change"),
    [
        (
            "chat_template.jinja",
            lambda text: text.replace("{{ message.role }}\n", "{{ message.role }} \n", 1),
        ),
        ("tokenizer_config.json", lambda text: text.replace('"</s>"', '"<pad>"')),
    ],
)
def test_a_space_in_the_exported_template_is_found_though_the_manifest_fits(
    tmp_path: Path, file: str, change: Any
) -> None:
    made = CONTRACT if file.startswith("chat") else CONTRACT.with_template(TEMPLATES["plain"], OWN)
    folder = saved(tmp_path / "model", made)
    rewritten(folder, file, change)
    with pytest.raises(TunesmithError) as caught:
        releases.verify(str(folder), Workspace(tmp_path / "w"))
    (problem,) = caught.value.problems
    assert problem.code == "M72"
    assert caught.value.exit_code == 1
    assert problem.values["path"] == "export"
    assert problem.values["expected"] != problem.values["found"]


def test_a_changed_file_is_told_beside_what_it_does_to_prompts(tmp_path: Path) -> None:
    folder = saved(tmp_path / "model")
    file = folder / "chat_template.jinja"
    file.write_text(file.read_text("utf-8").replace("assistant\n", "assistant \n"), "utf-8")
    with pytest.raises(TunesmithError) as caught:
        releases.verify(str(folder), Workspace(tmp_path / "w"))
    assert [problem.code for problem in caught.value.problems] == ["C04", "M72"]


def test_files_that_transformers_cannot_read_are_told(tmp_path: Path) -> None:
    folder = saved(tmp_path / "model")
    (folder / "chat_template.jinja").unlink()
    with pytest.raises(ModelError) as caught:
        verifying.contract(folder)
    assert caught.value.problems[0].code == "M74"


def test_a_folder_from_elsewhere_is_compared_as_it_would_be_exported(shared_data: Path) -> None:
    found = verifying.contract(shared_data / "weights" / "stories260K-hf")
    assert found.problem is None
    assert found.conversations >= 50
