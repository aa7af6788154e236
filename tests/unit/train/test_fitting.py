"""A training that would not fit is refused with settings that would do; `auto` finds them by itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tunesmith.core import components
from tunesmith.core.errors import MemoryShortError, ModelError
from tunesmith.core.recipe import Train
from tunesmith.models import quantized
from tunesmith.models.backbone import Generic
from tunesmith.train import footprint
from tunesmith.train.fitting import Room, fit, remember
from tunesmith.train.stepper import Stepper


def stepper(work: Any, **settings: Any) -> Stepper:
    given = Train(**{"precision": "float32", "batch_size": 64, **settings})
    return Stepper(work.build(), work.task, work.examples, given, seed=1)


def need(work: Any, tokens: int) -> int:
    return footprint.measure(stepper(work)).need(tokens)


def test_where_it_fits_nothing_is_changed(any_work: Any) -> None:
    made = stepper(any_work)
    assert not fit(made, Room(machine=2**40, free=2**40))
    assert made.tokens == stepper(any_work).tokens


def test_rows_that_look_at_each_other_get_larger_micro_batches_than_others(
    chat: Any, classify: Any, embed: Any
) -> None:
    found = [stepper(chat), stepper(classify), stepper(embed), stepper(classify, mixup=0.2)]
    for made in found:
        fit(made, Room(machine=2**40, free=2**40))
    assert [made.tokens for made in found] == [1024, 1024, 4096, 4096]


def test_what_does_not_fit_is_refused_with_what_would(any_work: Any) -> None:
    made = stepper(any_work, checkpointing=False)
    with pytest.raises(MemoryShortError) as caught:
        fit(made, Room(machine=2**40, free=need(any_work, 900)))
    problem = caught.value.problems[0]
    assert (problem.code, caught.value.exit_code) == ("T06", 6)
    assert "`train.micro_batch_tokens: 512`" in problem.values["ways"]
    assert "`train.checkpointing: true`" in problem.values["ways"]
    assert "MB" in str(caught.value)


def adapted(work: Any, base: str) -> Stepper:
    learner = work.build()
    components.methods.get("lora")(learner.backbone, rank=4, base=base)
    given = Train(precision="float32", method={"name": "lora", "rank": 4, "base": base})  # type: ignore[arg-type]
    return Stepper(learner, work.task, work.examples, given, seed=1)


@pytest.mark.parametrize(
    ("int8", "int4", "named"), [(0.6, 0.7, "int8"), (0.5, 0.6, "int4"), (0.4, 0.5, None)]
)
def test_adapters_that_do_not_fit_are_shown_the_base_that_does(
    int8: float, int4: float, named: str | None, chat: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = adapted(chat, "float32")
    wanted = footprint.measure(made).need(made.tokens)
    shares = {"int8": int8, "int4": int4}
    monkeypatch.setattr(quantized, "saved", lambda _model, numbers, _bits: shares[numbers] * wanted)
    with pytest.raises(MemoryShortError) as caught:
        fit(made, Room(machine=2**40, free=wanted // 2))
    said = [n for n in ("int8", "int4") if f"`train.method.base: {n}`" in str(caught.value)]
    assert said == ([named] if named else [])


def test_floats_that_are_made_of_a_base_in_few_bits_count(chat: Any) -> None:
    plain, few = adapted(chat, "float32"), adapted(chat, "int8")
    passing = quantized.in_passing(few.learner.backbone)
    assert passing > 0
    assert footprint.measure(few).state == footprint.measure(plain).state + passing


@pytest.mark.parametrize("way", [{"micro_batch_tokens": 512}, {"checkpointing": True}])
def test_what_is_named_does_fit(chat: Any, way: dict[str, Any]) -> None:
    fit(stepper(chat, **way), Room(machine=2**40, free=need(chat, 900)))


def test_where_nothing_would_do_that_is_said(any_work: Any) -> None:
    with pytest.raises(MemoryShortError) as caught:
        fit(stepper(any_work), Room(machine=2**40, free=1000))
    assert caught.value.problems[0].code == "T07"


@pytest.mark.parametrize("tokens", [1024, 512, 256])
def test_auto_takes_the_largest_micro_batch_that_the_machine_has_room_for(classify: Any, tokens: int) -> None:
    made = stepper(classify, micro_batch_tokens="auto")
    fit(made, Room(machine=round(need(classify, tokens) / 0.6) + 1, free=None))
    assert made.tokens == tokens


def test_auto_does_not_ask_what_is_free(classify: Any) -> None:
    made = stepper(classify, micro_batch_tokens="auto")
    with pytest.raises(MemoryShortError):
        fit(made, Room(machine=2**40, free=need(classify, 256)))
    assert made.tokens == 1024


def test_a_machine_too_small_for_all_blocks_computes_them_again(chat: Any) -> None:
    made = stepper(chat)
    assert fit(made, Room(machine=need(chat, 256), free=2**40))


@pytest.mark.parametrize("name", ["classify", "chat"])
def test_blocks_computed_again_teach_the_same(
    request: pytest.FixtureRequest, name: str, tmp_path: Path
) -> None:
    work = request.getfixturevalue(name)
    plain, again = stepper(work, batch_size=8), stepper(work, batch_size=8, checkpointing=True)
    assert fit(again, Room())
    for number in range(3):
        expected, found = plain.step(number), again.step(number)
        assert found.loss == pytest.approx(expected.loss, rel=1e-5)
    assert footprint.measure(again).row < footprint.measure(plain).row
    work.task.save(again.learner, tmp_path)
    assert "checkpointing" not in (tmp_path / "config.json").read_text("utf-8")


def half_frozen(chat: Any) -> Stepper:
    learner = chat.build()
    components.methods.get("last_layers")(learner.backbone, layers=1)
    return Stepper(learner, chat.task, chat.examples, Train(precision="float32", batch_size=8), seed=1)


def test_what_is_remembered_of_frozen_layers_takes_no_more_than_half_of_what_is_left(chat: Any) -> None:
    made = half_frozen(chat)
    whole = int(made.lengths.sum()) * made.learner.backbone.config.hidden_size * 4  # type: ignore[union-attr, operator]
    compared = made.backbone._memory.bytes  # type: ignore[attr-defined]
    assert remember(made) == whole - compared
    need = footprint.measure(made).need(made.tokens)
    fit(made, Room(machine=2**40, free=need + whole))
    other = half_frozen(chat)
    assert [made.step(n).loss for n in range(4)] == [other.step(n).loss for n in range(4)]
    held = [one.backbone._memory.bytes for one in (made, other)]  # type: ignore[attr-defined]
    assert whole // 4 < held[0] <= whole // 2 < held[1] == whole
    assert [remember(one) for one in (made, other, stepper(chat))] == [whole // 2 - held[0], 0, 0]


def test_a_model_that_cannot_says_so(chat: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    made = stepper(chat, checkpointing=True)
    made.backbone = Generic(made.learner.backbone, speaks=True)
    monkeypatch.setattr(type(made.learner.backbone), "supports_gradient_checkpointing", False)
    with pytest.raises(ModelError) as caught:
        fit(made, Room())
    assert caught.value.problems[0].code == "T08"


def test_its_own_code_can_compute_blocks_again_too(chat: Any) -> None:
    plain, again = stepper(chat, batch_size=8), stepper(chat, batch_size=8, checkpointing=True)
    again.backbone = Generic(again.learner.backbone, speaks=True)
    assert fit(again, Room())
    assert again.step(0).loss == pytest.approx(plain.step(0).loss, rel=1e-5)
    assert footprint.measure(again).row < footprint.measure(plain).row
