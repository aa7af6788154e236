"""Checkpoints: the whole state comes back, a damaged one is passed over, old ones go."""

from __future__ import annotations

import json
import resource
from collections.abc import Iterable
from pathlib import Path

import pytest
import torch
from torch import nn

from tunesmith.core import components, durable
from tunesmith.core.errors import TunesmithError
from tunesmith.train import checkpoints


def model(seed: int = 0, optimizer: str = "adamw") -> tuple[nn.Module, torch.optim.Optimizer]:
    torch.manual_seed(seed)
    module = nn.Sequential(nn.Linear(4, 8), nn.LayerNorm(8), nn.Linear(8, 2))
    return module, components.optimizers.get(optimizer)(module.parameters(), lr=0.01)


class Counting(torch.optim.SGD):
    """Remembers a number beside tensors, as some optimizers do, and learns less the larger it is."""

    def step(self, closure: object = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            for parameter in group["params"]:
                state = self.state[parameter]
                state["seen"] = state.get("seen", 0) + 1
                parameter.data.sub_(parameter.grad, alpha=group["lr"] / state["seen"])


def counting(parameters: Iterable[nn.Parameter], *, lr: float) -> torch.optim.Optimizer:
    return Counting(parameters, lr=lr)


def learn(module: nn.Module, optimizer: torch.optim.Optimizer, numbers: range) -> None:
    for number in numbers:
        x = torch.randn(16, 4, generator=torch.Generator().manual_seed(number))
        module(x).square().mean().backward()
        optimizer.step()
        optimizer.zero_grad()


def save(root: Path, step: int, made: tuple[nn.Module, torch.optim.Optimizer]) -> checkpoints.Checkpoint:
    return checkpoints.save(
        root, step, dict(made[0].named_parameters()), made[1], {"bad": step}, {"waited": step}
    )


@pytest.mark.parametrize("name", [*components.optimizers.names(), f"{__name__}:counting"])
def test_learning_goes_on_as_if_it_had_not_stopped(tmp_path: Path, name: str) -> None:
    whole, first, second = model(0, name), model(0, name), model(9, name)
    learn(*whole, range(6))
    learn(*first, range(3))
    found = save(tmp_path, 3, first)
    checkpoints.restore(found, dict(second[0].named_parameters()), second[1])
    learn(*second, range(3, 6))
    for a, b in zip(whole[0].parameters(), second[0].parameters(), strict=True):
        assert torch.equal(a, b)


def test_moments_of_8_bits_stay_such_and_come_back_exactly(tmp_path: Path) -> None:
    def wide(seed: int) -> tuple[nn.Module, torch.optim.Optimizer]:
        torch.manual_seed(seed)
        module = nn.Sequential(nn.Linear(4, 64), nn.Linear(64, 128), nn.Linear(128, 2))
        return module, components.optimizers.get("adamw_8bit")(module.parameters(), lr=0.01)

    whole, second = wide(0), wide(9)
    learn(*whole, range(3))
    found = save(tmp_path, 3, whole)
    checkpoints.restore(found, dict(second[0].named_parameters()), second[1])
    # 8 bits and two scales for every 256 numbers, where AdamW has 64 bits.
    remembered = second[1].state_dict()["state"][1]
    held = sum(value.nbytes for value in remembered.values() if isinstance(value, torch.Tensor))
    assert held == 2 * 64 * 128 * (1 + 4 / 256)
    for made in (whole, second):
        learn(*made, range(3, 6))
    for a, b in zip(whole[0].parameters(), second[0].parameters(), strict=True):
        assert torch.equal(a, b)


def test_a_state_of_before_the_first_step_comes_back(tmp_path: Path) -> None:
    made, other = model(), model(seed=9)
    checkpoints.restore(save(tmp_path, 0, made), dict(other[0].named_parameters()), other[1])
    learn(*made, range(2))
    learn(*other, range(2))
    assert torch.equal(made[0][0].weight, other[0][0].weight)


def test_the_two_newest_are_kept(tmp_path: Path) -> None:
    made = model()
    for step in (1, 2, 30, 100):
        save(tmp_path, step, made)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["step-00000030", "step-00000100"]
    newest = checkpoints.newest(tmp_path)
    assert newest is not None
    assert (newest.step, newest.guard, newest.selection) == (100, {"bad": 100}, {"waited": 100})


def test_a_removal_that_is_cut_off_leaves_nothing_that_looks_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = model()
    for step in (1, 2):
        save(tmp_path, step, made)

    def cut_off(path: Path) -> None:
        next(file for file in path.iterdir() if file.suffix == ".safetensors").unlink()
        raise KeyboardInterrupt

    monkeypatch.setattr(durable.shutil, "rmtree", cut_off)
    with pytest.raises(KeyboardInterrupt):
        durable.remove_folder(tmp_path / "step-00000001")
    assert not list(checkpoints.mend(tmp_path))
    assert (found := checkpoints.newest(tmp_path)) is not None
    assert found.step == 2


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("damage", [_cut, _flip, Path.unlink], ids=["cut off", "one bit", "gone"])
@pytest.mark.parametrize(
    "file", ["weights.safetensors", "optimizer.safetensors", "state.json", "MANIFEST.json"]
)
def test_a_damaged_checkpoint_is_passed_over(tmp_path: Path, file: str, damage: object) -> None:
    made = model()
    save(tmp_path, 2, made)
    damaged = save(tmp_path, 4, made)
    damage(damaged.path / file)  # type: ignore[operator]
    found = checkpoints.newest(tmp_path)
    assert found is not None
    assert found.step == 2


def test_a_half_written_checkpoint_is_none(tmp_path: Path) -> None:
    (tmp_path / ".tmp-1").mkdir()
    (tmp_path / "step-00000007").mkdir()
    assert checkpoints.newest(tmp_path) is None
    assert checkpoints.newest(tmp_path / "nothing") is None


def test_a_full_disk_keeps_the_old_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = model()
    save(tmp_path, 1, made)
    save(tmp_path, 2, made)

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", refuse)
    with pytest.raises(TunesmithError) as caught:
        save(tmp_path, 3, made)
    assert caught.value.problems[0].code == "C02"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["step-00000001", "step-00000002"]


def test_a_library_that_meets_the_end_of_the_room_is_told_alike(tmp_path: Path) -> None:
    made = model()
    save(tmp_path, 1, made)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
    try:
        with pytest.raises(TunesmithError) as caught:
            save(tmp_path, 2, made)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert caught.value.problems[0].code == "C02"
    assert [path.name for path in tmp_path.iterdir()] == ["step-00000001"]
    assert checkpoints.newest(tmp_path) is not None


def test_a_checkpoint_of_before_there_was_a_guard_is_read(tmp_path: Path) -> None:
    made = model()
    found = save(tmp_path, 4, made)
    (found.path / "state.json").write_text(json.dumps({"step": 4}), "utf-8")
    durable.seal(found.path)
    assert checkpoints.newest(tmp_path) == checkpoints.Checkpoint(found.path, 4, {})


def test_damaged_ones_are_set_aside_and_kept(tmp_path: Path) -> None:
    made = model()
    save(tmp_path, 2, made)
    _cut(save(tmp_path, 4, made).path / "weights.safetensors")
    assert list(checkpoints.mend(tmp_path)) == [tmp_path / "damaged-step-00000004"]
    assert list(checkpoints.mend(tmp_path)) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["damaged-step-00000004", "step-00000002"]
