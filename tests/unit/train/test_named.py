"""In which layer a parameter is follows from its name, in models of every family."""

from __future__ import annotations

from typing import Any

from tunesmith.train.named import depths, layer


def of(depth: dict[str, int], word: str) -> set[int]:
    return {level for name, level in depth.items() if word in name}


def test_layers_are_counted_from_the_output(any_work: Any) -> None:
    depth = depths([name for name, _ in any_work.learner.module.named_parameters()])
    assert of(depth, "embed") == {3}
    assert {level for name, level in depth.items() if layer(name) == 0} == {2}
    assert {level for name, level in depth.items() if layer(name) == 1} == {1}


def test_a_new_head_is_nearest_to_the_output(classify: Any) -> None:
    depth = depths([name for name, _ in classify.learner.module.named_parameters()])
    assert of(depth, "head") == {0}


def test_stacks_are_counted_each_for_itself() -> None:
    names = ["shared.weight", *(f"encoder.layers.{i}.w" for i in range(3)), "decoder.layers.0.w", "norm.w"]
    assert list(depths(names).values()) == [4, 3, 2, 1, 1, 0]


def test_without_layers_all_is_at_the_output() -> None:
    assert depths(["a.weight", "b.weight"]) == {"a.weight": 0, "b.weight": 0}
