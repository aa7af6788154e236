"""The augmenters a recipe may list under `data.augment`.

An augmenter is a function `name(passage, *, settings)` that gives the edits it would make of a text
(`augmenting.passage`). It rolls the dice of the passage and no others. Edits of what a label may hang on
(spans, answers, numbers, negations) are passed over, and spans move with their text, whatever it does.

One that asks a model is a subclass of `Rewriter`: it gets many texts at once and writes them anew.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

from tunesmith.core import components
from tunesmith.core.chosen import Component
from tunesmith.data.augmenting.passage import Edit, Passage

Find = Callable[[str], Any]
"""From the name of a model to the model, ready for use."""
Made = list[Edit] | str
"""The edits of a text, or the whole text written anew."""
Way = Callable[[Sequence[Passage]], Sequence[Made]]
"""An augmenter ready for use: what it would make of each passage."""


class Rewriter(ABC):
    """An augmenter that needs a model. Its settings are keyword-only arguments."""

    @abstractmethod
    def __init__(self, find: Find) -> None: ...

    @abstractmethod
    def rewrite(self, passages: Sequence[Passage]) -> Sequence[Made]:
        """For each passage the edits of it, or the whole text written anew."""


def opened(component: Component, find: Find) -> Way:
    """An augmenter ready for any number of batches; its models are loaded now."""
    augmenter: Any = components.augmenters.get(component.name)
    if isinstance(augmenter, type) and issubclass(augmenter, Rewriter):
        asking: Any = augmenter
        made: Rewriter = asking(find, **component.settings)
        return made.rewrite
    edits: Callable[..., list[Edit]] = augmenter
    return lambda passages: [edits(one, **component.settings) for one in passages]
