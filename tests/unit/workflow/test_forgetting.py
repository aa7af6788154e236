"""What fine-tuning cost is measured by fixed probes, told in the report, and may close the gate."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tunesmith.core.errors import GateError
from tunesmith.core.workspace import Workspace
from tunesmith.eval import forgetting, html
from tunesmith.eval.forgetting import Answers
from tunesmith.eval.report import Report
from tunesmith.models.resolve import resolve
from tunesmith.workflow.forgetting import answers


def test_probes_are_of_both_languages_and_no_wrong_answer_is_the_right_one() -> None:
    for kind, parts in forgetting.probes().items():
        assert sorted(parts) == ["en", "zh"], kind
    for parts in (forgetting.probes()["continuations"], forgetting.probes()["neighbours"]):
        for items in parts.values():
            assert len(items) >= 16
            assert all(len(item) == 3 and item[1] != item[2] for item in items)


def test_what_was_right_and_is_wrong_is_forgotten_and_named() -> None:
    def of(flags: list[bool]) -> Answers:
        rest = [True] * (24 - len(flags))
        return Answers(right={"continuations": {"en": [*flags, *rest]}}, bits={"en": 1.5})

    lost = forgetting.compare(of([True, True, False, False]), of([False, True, True, False]))
    assert (lost.known, lost.forgotten, lost.share) == (22, 1, 1 / 22)
    assert lost.lost == ("The capital of France is Paris",)
    assert (lost.probes[0].before, lost.probes[0].after) == (22 / 24, 22 / 24)


def test_an_encoder_knows_which_texts_mean_the_same(tmp_path: Path) -> None:
    folder = resolve("minilm", Workspace(tmp_path)).folder
    assert folder is not None
    english = answers(folder, writes=False).right["neighbours"]["en"]
    assert sum(english) / len(english) > 0.9


def test_a_run_tells_what_was_lost_and_its_gate_may_limit_it(chat: Any) -> None:
    chat.values["train"] |= {"epochs": 1, "method": "full", "optimizer": {"name": "adamw", "lr": 0.3}}
    with pytest.raises(GateError) as caught:
        chat.run("eval.limits={forgetting: 0.1}")
    assert "forgetting" in caught.value.problems[0].values["failed"]
    plan = chat.plan("eval.limits={forgetting: 0.1}")
    lost = plan.run.result()["forgetting"]
    assert lost["share"] > 0.1
    assert [surprise["lang"] for surprise in lost["surprises"]] == ["en", "zh"]
    assert lost["surprises"][0]["after"] > lost["surprises"][0]["before"]
    page = html.render(Report.load(plan.run.report), "zh")
    assert "遗忘了什么" in page
    assert lost["lost"][0].split("'")[0] in page
