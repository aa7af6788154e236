"""Two processes with one model between them come to what one comes to, and either continues the other."""

from __future__ import annotations

from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from tunesmith.core.errors import ModelError, RecipeError
from tunesmith.core.events import Step, Warned
from tunesmith.train import methods
from tunesmith.train.parallel import ALONE, Group
from tunesmith.train.parallel.cuts import Cuts, read, write


def trained(work: Any, folder: Path, group: Group = ALONE, **settings: Any) -> dict[str, Any]:
    """The losses, events and weights of a training; some weights are frozen, and some blocks are odd."""
    learner = settings.pop("learner", None) or work.build()
    given = {"micro_batch_tokens": 96, "group": group, "sharding": "full", **settings}
    events = list(work.train(folder, learner, **given))
    # A training that was stopped leaves the model divided.
    whole = group.rank == 0 and type(events[-1]).__name__ == "Finished"
    return {
        "losses": [event.loss for event in events if isinstance(event, Step)],
        "norms": [event.grad_norm for event in events if isinstance(event, Step)],
        "kinds": [type(event).__name__ for event in events],
        "codes": [event.code for event in events if isinstance(event, Warned)],
        "classes": sorted({type(module).__name__ for module in learner.module.modules()}),
        "weights": {n: v.numpy() for n, v in learner.module.state_dict().items()} if whole else {},
    }


def alike(found: dict[str, Any], expected: dict[str, Any]) -> None:
    np.testing.assert_allclose(found["losses"], expected["losses"], rtol=0, atol=1e-5)
    np.testing.assert_allclose(found["norms"], expected["norms"], rtol=1e-4)
    assert found["weights"].keys() == expected["weights"].keys()
    for name, value in expected["weights"].items():
        np.testing.assert_allclose(found["weights"][name], value, rtol=0, atol=1e-5, err_msg=name)


SETTINGS: dict[str, dict[str, Any]] = {
    "classify": {"ema": 0.9, "keep": "best", "layer_decay": 0.9, "optimizer": "lion"},
    "chat": {"checkpointing": True, "optimizer": {"name": "sgd", "lr": 0.1}},
    "embed": {"loss": "multiple_negatives"},
}


@pytest.mark.parametrize("name", SETTINGS)
def test_two_processes_learn_what_one_learns(
    name: str, request: pytest.FixtureRequest, together: Any, tmp_path: Path
) -> None:
    work, settings = request.getfixturevalue(name), SETTINGS[name]
    alone = trained(work, tmp_path / "alone", **settings)
    first, second = together(lambda group: trained(work, tmp_path / "both", group, **settings))
    alike(first, alone)
    assert second["losses"] == first["losses"]
    assert second["kinds"] == first["kinds"] == alone["kinds"]
    assert first["codes"] == alone["codes"] == ["T34"]
    # What is saved is the model that was given.
    assert first["classes"] == alone["classes"]


def lora(work: Any) -> Any:
    torch.manual_seed(5)
    learner = work.build()
    methods.lora(learner.backbone, rank=3)
    return learner


@pytest.mark.parametrize("makes", [None, lora], ids=["full", "lora"])
def test_two_continue_what_one_began_and_one_what_two_began(
    makes: Any, chat: Any, together: Any, tmp_path: Path
) -> None:
    def run(folder: str, group: Group = ALONE, stop: int = 1000) -> dict[str, Any]:
        asked = count(1)
        learner = makes(chat) if makes else None
        return trained(chat, tmp_path / folder, group, learner=learner, stop=lambda: next(asked) >= stop)

    never_stopped = run("alone")
    began = together(lambda group: run("two", group, stop=2))[0]
    assert len(began["losses"]) == 2
    files = sorted(path.name for path in next((tmp_path / "two").iterdir()).iterdir())
    assert files[1:3] == ["optimizer-00001-of-00002.safetensors", "optimizer-00002-of-00002.safetensors"]
    continued = run("two")
    assert "Resumed" in continued["kinds"]
    np.testing.assert_allclose(
        [*began["losses"], *continued["losses"]], never_stopped["losses"], rtol=0, atol=1e-5
    )
    run("one", stop=2)
    found = together(lambda group: run("one", group))[0]
    for one in (continued, found):
        alike({**never_stopped, "weights": one["weights"]}, never_stopped)


def test_each_process_keeps_a_part_of_blocks_and_of_what_is_remembered(
    chat: Any, together: Any, tmp_path: Path
) -> None:
    trained(chat, tmp_path / "alone", stop=lambda: True)
    together(lambda group: trained(chat, tmp_path / "both", group, stop=lambda: True))
    whole = load_file(next(tmp_path.glob("alone/step-*/optimizer.safetensors")))
    parts = [load_file(path) for path in sorted(tmp_path.glob("both/step-*/optimizer-*.safetensors"))]
    for name, value in parts[1].items():
        assert len(parts[0][name]) + len(value) == len(whole[name])
    sizes = [sum(value.numel() for value in tensors.values()) for tensors in (whole, parts[1])]
    # The last process has none of the embeddings.
    assert 0 < sizes[1] < 0.5 * sizes[0]


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_rows_that_three_processes_wrote_are_read_by_any_number(size: int, tmp_path: Path) -> None:
    whole = {"cut": torch.arange(14.0).view(7, 2), "short": torch.arange(2.0), "scale": torch.tensor(3.0)}
    rows = {"cut": 7, "short": 2}
    for rank in range(3):
        cuts = Cuts(rank=rank, size=3, rows=rows)
        own = {n: v if (r := cuts.own(n)) is None else v[r.start : r.stop] for n, v in whole.items()}
        write(tmp_path, "weights", own, cuts)
    found = [
        read(tmp_path, "weights", Cuts(rank=rank, size=size, rows=rows) if size > 1 else Cuts())
        for rank in range(size)
    ]
    for name in rows:
        assert torch.equal(torch.cat([tensors[name] for tensors in found]), whole[name])
    assert all(tensors["scale"] == 3 for tensors in found)


def test_a_process_that_cannot_write_ends_all_and_leaves_nothing(together: Any, tmp_path: Path) -> None:
    def act(group: Group) -> None:
        from tunesmith.train.parallel.sharded import Sharded

        blocks = torch.nn.Module()
        blocks.layers = torch.nn.ModuleList([torch.nn.Linear(2, 3)])
        made = Sharded(group.beside, blocks, blocks)
        made.make(
            tmp_path / "made", lambda folder: _fail(folder) if made.rank else save_file({}, folder / "a")
        )

    first, second = together(act)
    assert first.problems[0].code == "T37"
    assert isinstance(second, FileNotFoundError)
    assert not list(tmp_path.glob("*made*"))


def _fail(folder: Path) -> None:
    raise FileNotFoundError(folder)


def test_what_cannot_be_divided_says_why(chat: Any, together: Any, tmp_path: Path) -> None:
    with pytest.raises(RecipeError) as caught:
        trained(chat, tmp_path, optimizer="muon")
    assert caught.value.problems[0].code == "T35"

    def act(group: Group) -> None:
        from tunesmith.train.parallel.sharded import divide

        divide(group, torch.nn.Linear(2, 2), torch.nn.Linear(2, 2))

    for error in together(act):
        assert isinstance(error, ModelError)
        assert error.problems[0].code == "T36"
