"""Augmenters that ask models, with real ones that were trained a moment ago."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import tunesmith
from tunesmith.core.errors import RecipeError
from tunesmith.core.workspace import Workspace
from tunesmith.data.augmenters.asked import BackTranslate
from tunesmith.data.augmenters.foreseen import FillMasks
from tunesmith.data.augmenting.passage import Edit, Passage, dice_of
from tunesmith.data.augmenting.protection import guarded
from tunesmith.models.filler import Guess
from tunesmith.workflow.augmenting import helpers

SIZE = {"hidden": 32, "layers": 1, "heads": 2, "vocab": 500, "context": 64}
SAID = ("my new card is late", "the last card was lost", "a card of mine was late", "the new card is lost")
TEXT = "my card [MASK] is not late since 3 days"


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace with a masked model and one that translates."""
    folder = tmp_path_factory.mktemp("models")
    (folder / "said.txt").write_text("\n".join(f"{text} {n}" for n in range(20) for text in SAID))
    pairs = [{"source": text, "target": text.replace("card", "Karte")} for text in SAID * 4]
    (folder / "pairs.jsonl").write_text("".join(json.dumps(pair) + "\n" for pair in pairs))
    workspace = Workspace(folder / ".tunesmith")
    for task, architecture, file in (("mask", "bert", "said.txt"), ("translate", "t5", "pairs.jsonl")):
        recipe = tunesmith.Recipe(
            task=task, model={"architecture": architecture, **SIZE},
            data={"source": str(folder / file), "clean": [], "split": {"test": 0.1, "similar": None}},
            train={"epochs": 2, "optimizer": {"name": "adamw", "lr": 0.01}},
            publish={"name": task},
        )  # fmt: skip
        tunesmith.run(recipe, workspace=workspace)
    return workspace


def passage(text: str) -> Passage:
    return Passage(text=text, dice=dice_of(1), guarded=guarded(text))


def test_a_masked_model_foresees_whole_words_in_the_place_that_is_asked_about(
    work: Workspace, tmp_path: Path
) -> None:
    fill = FillMasks(helpers(work, tmp_path).find, model="mask", rate=1.0, top=20)
    (edits,) = fill.rewrite([passage(TEXT)])
    assert edits
    words = {word for text in SAID for word in text.split()}
    for edit in edits:
        assert isinstance(edit, Edit)
        assert edit.text in words
        assert TEXT[edit.start : edit.end] in {"my", "card", "is", "since", "days"}
    assert fill.rewrite([passage(TEXT)]) == [edits]


def test_a_text_goes_through_another_language_and_back(work: Workspace, tmp_path: Path) -> None:
    find = helpers(work, tmp_path).find
    there, back = BackTranslate(find, there="translate", back="translate").rewrite(
        [passage(SAID[0]), passage("")]
    )
    assert isinstance(there, str)
    assert isinstance(back, str)
    with pytest.raises(RecipeError, match="A13"):
        BackTranslate(find, there="translate", back="mask")
    with pytest.raises(RecipeError, match="A13"):
        FillMasks(find, model="translate")


def test_a_model_that_chats_is_told_the_languages() -> None:
    asked: list[str] = []

    def chat(turns: Any) -> str:
        asked.append(turns[0]["content"].split(".")[0])
        return f"<{turns[1]['content']}>"

    model = SimpleNamespace(chat=chat, kind="hosted")
    made = BackTranslate(lambda _: model, there="a", back="b", language="French")
    assert made.rewrite([passage("今天的汇率怎么这么高")]) == ["<<今天的汇率怎么这么高>>"]
    assert asked == ["Translate the user's text into French", "Translate the user's text into Chinese"]


@pytest.mark.parametrize(
    ("text", "guesses", "made"),
    [
        ("Late again", [Guess("soon", 0.9), Guess("late", 0.1)], "Soon"),
        ("late again", [Guess("ing", 0.9, whole=False), Guess("##s", 0.1, whole=False)], None),
        ("迟到", [Guess("late", 0.9), Guess("早", 0.1)], "早"),
    ],
)
def test_parts_of_words_other_scripts_and_the_same_word_are_not_taken(
    text: str, guesses: list[Guess], made: str | None
) -> None:
    model = SimpleNamespace(fill=lambda shown, top: [[guesses] for _ in shown], kind="masked")
    (edits,) = FillMasks(lambda _: model, model="m", rate=1.0).rewrite([passage(text)])
    assert [edit.text for edit in edits if isinstance(edit, Edit)][:1] == ([made] if made else [])
