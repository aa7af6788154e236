"""All layouts, in the order in which they are tried: what can be told for sure comes first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tunesmith.data.layouts.argilla import RecordLabel, RecordLabels, RecordSpans
from tunesmith.data.layouts.chat import Alternating, Messages, Questions, Sharegpt
from tunesmith.data.layouts.label_studio import TaskChoice, TaskChoices, TaskSpans
from tunesmith.data.layouts.layout import Layout, Mapped, Sample
from tunesmith.data.layouts.likeness import PairScore, Triplet
from tunesmith.data.layouts.multi_label import Indicators, MultiLabel
from tunesmith.data.layouts.pairs import Alpaca, PromptCompletion, QuestionAnswer, SelfInstruct
from tunesmith.data.layouts.pieces import Snips, SpanColumns
from tunesmith.data.layouts.plain import JoinedPair, Passages, Text
from tunesmith.data.layouts.preference import Preference, RankedOutputs, Ranking
from tunesmith.data.layouts.prodigy import Choice, Choices, Verdict
from tunesmith.data.layouts.question import Squad
from tunesmith.data.layouts.rating import Judged, Rated
from tunesmith.data.layouts.scores import TextScore
from tunesmith.data.layouts.sides import JoinedSides, Sides, Translation
from tunesmith.data.layouts.spans import Cluener, Doccano, Prodigy, Spacy
from tunesmith.data.layouts.text_label import Options, TextLabel
from tunesmith.data.layouts.tokens import Bioes, Conll, TokenTags

LAYOUTS: Sequence[Layout] = (
    TaskSpans(),
    TaskChoice(),
    TaskChoices(),
    RecordSpans(),
    RecordLabel(),
    RecordLabels(),
    Choice(),
    Choices(),
    Verdict(),
    Ranking(),
    Preference(),
    RankedOutputs(),
    Rated(),
    Judged(),
    Options(),
    Squad(),
    Conll(),
    Bioes(),
    Prodigy(),
    TokenTags(),
    Spacy(),
    Cluener(),
    Doccano(),
    Snips(),
    SpanColumns(),
    Triplet(),
    PairScore(),
    Translation(),
    Sharegpt(),
    Alternating(),
    Messages(),
    Questions(),
    SelfInstruct(),
    Alpaca(),
    PromptCompletion(),
    QuestionAnswer(),
    JoinedSides(),
    Sides(),
    Passages(),
    MultiLabel(),
    Indicators(),
    TextLabel(),
    JoinedPair(),
    Text(),
    TextScore(),
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
