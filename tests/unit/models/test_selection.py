"""Choosing models: filters, sizes, and what fits into memory."""

from __future__ import annotations

import pytest

from tunesmith.core.errors import UsageError
from tunesmith.models import catalogue, fitness, memory, selection
from tunesmith.models.selection import Wanted

MODEL = {
    "tasks": ["chat"], "family": "qwen3", "languages": ["zh", "en"], "licence": "LicenseRef-Qwen-Research",
    "parameters": 600_000_000,
}  # fmt: skip


@pytest.mark.parametrize(
    ("wanted", "fits"),
    [
        ({"task": "chat", "family": "Qwen3", "language": "zh", "licence": "qwen"}, True),
        ({"task": "classify"}, False),
        ({"family": "qwen2"}, False),
        ({"language": "de"}, False),
        ({"licence": "mit"}, False),
        ({"size": selection.size("<1B")}, True),
        ({"size": selection.size("100M-500M")}, False),
        ({"size": selection.size("0.6B")}, True),
        ({"size": selection.size(">1b")}, False),
    ],
)
def test_a_model_is_listed_when_it_has_what_was_asked_for(wanted: dict, fits: bool) -> None:
    assert Wanted(**wanted).has(MODEL) is fits


@pytest.mark.parametrize("words", ["big", "2B-1B", "<", "1T", "-5M"])
def test_what_is_no_size_is_refused(words: str) -> None:
    with pytest.raises(UsageError, match="M60"):
        selection.size(words)


def test_an_amount_of_memory_is_read_with_or_without_its_b() -> None:
    assert selection.memory_bytes("8GB") == selection.memory_bytes("8 GiB") == 8 * 2**30
    with pytest.raises(UsageError, match="M61"):
        selection.memory_bytes("much")


def fit(name: str, memory_bytes: int) -> str:
    entry = catalogue.entries()[name]
    return fitness.of(entry.shape, entry.kind, context=entry.context, memory_bytes=memory_bytes).best


def test_a_larger_machine_can_do_more_with_a_model() -> None:
    found = [fit("smollm2-135m", size * 2**30) for size in (1, 2, 4, 400)]
    assert found == ["none", "serve", "lora", "full"]
    assert fit("tfidf", 2**30) == "full"


def test_longer_texts_and_more_of_them_need_more() -> None:
    shape = catalogue.entries()["qwen3-0.6b"].shape
    assert shape is not None
    # 28 layers of 8 key and value heads of 128 numbers in four bytes.
    assert memory.cache(shape, context=100, batch=2) == 4 * 2 * 28 * 8 * 128 * 200
    # Rows of 1,024 tokens: the four, two of before they were doubled, the one that is read; and for one, two.
    single = memory.serving(shape, "language", context=1000)
    assert memory.serving(shape, "language", context=1000, batch=4) - single == memory.cache(
        shape, context=1024, batch=7 - 2
    )
    full, lora = (
        memory.training(shape, "language", length=128, tokens=512, method=m) for m in ("full", "lora")
    )
    assert full - lora > 10 * shape.parameters
