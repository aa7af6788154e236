"""All layouts, in the order in which they are tried: what can be told for sure comes first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tunesmith.data.layouts.chat import Alternating, Messages, Questions, Sharegpt
from tunesmith.data.layouts.layout import Layout, Mapped, Sample
from tunesmith.data.layouts.pairs import Alpaca, PromptCompletion, QuestionAnswer, SelfInstruct
from tunesmith.data.layouts.plain import JoinedPair, Passages, Text
from tunesmith.data.layouts.text_label import Options, TextLabel

LAYOUTS: Sequence[Layout] = (
    Options(),
    Sharegpt(),
    Alternating(),
    Messages(),
    Questions(),
    SelfInstruct(),
    Alpaca(),
    PromptCompletion(),
    QuestionAnswer(),
    TextLabel(),
    JoinedPair(),
    Passages(),
    Text(),
)
"""Every layout that is read."""

Way = tuple[Layout, Mapped]


def ways(sample: Sample, shape: str, fields: Mapping[str, str]) -> list[Way]:
    """The layouts of a shape that the columns hold, those first that know what the user named."""
    found: list[tuple[int, Way]] = []
    for layout in LAYOUTS:
        if layout.shape == shape:
            own = {field: column for field, column in fields.items() if field in layout.fields}
            found += [(-len(own), (layout, mapping)) for mapping in layout.find(sample, own)]
    return [way for _, way in sorted(found, key=lambda item: item[0])]


def first(sample: Sample) -> Way | None:
    """The first layout that the columns hold, of whatever shape."""
    for layout in LAYOUTS:
        for mapping in layout.find(sample, {}):
            return layout, mapping
    return None
