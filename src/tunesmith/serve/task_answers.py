"""What the routes of tasks say: one item for each one asked, in its order."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from tunesmith.serve.answers import Answer, Frozen, Index, Label, Name, Number, Probability

Coordinate = Annotated[float, Field(ge=-1e38, le=1e38)]
Place = Annotated[int, Field(ge=0, lt=2**32)]  # in code points


class Classification(Frozen):
    """One text's most probable label, and all probabilities.

    `labels` are those likelier than not, of a model by which a text may have several.
    """

    index: Index
    label: Label
    probability: Probability
    labels: Annotated[list[Label], Field(max_length=100_000)] | None = None
    probabilities: Annotated[dict[Label, Probability], Field(max_length=100_000)]


class Classifications(Frozen):
    """The answer of POST /v1/classify."""

    object: Literal["list"] = "list"
    model: Name
    data: Annotated[list[Classification], Field(max_length=4096)]


class Scored(Frozen):
    """The number of one text."""

    index: Index
    score: Coordinate


class Scores(Frozen):
    """The answer of POST /v1/score."""

    object: Literal["list"] = "list"
    model: Name
    data: Annotated[list[Scored], Field(max_length=4096)]


class Embedding(Frozen):
    """The vector of one text: numbers, or their bytes as base64."""

    object: Literal["embedding"] = "embedding"
    index: Index
    embedding: Annotated[list[Coordinate], Field(max_length=65_536)] | Answer


class EmbeddingUsage(Frozen):
    """Counts of tokens; a vector is no token."""

    prompt_tokens: Number
    total_tokens: Number


class Embeddings(Frozen):
    """The answer of POST /v1/embeddings."""

    object: Literal["list"] = "list"
    model: Name
    data: Annotated[list[Embedding], Field(max_length=4096)]
    usage: EmbeddingUsage


class Named(Frozen):
    """What is named at the code points [start, end) of a text; as probable as its least sure tag."""

    start: Place
    end: Place
    label: Label
    text: Answer
    probability: Probability


class Tagged(Frozen):
    """What is named in one text, in the order of the text."""

    index: Index
    entities: Annotated[list[Named], Field(max_length=2**21)]


class Tags(Frozen):
    """The answer of POST /v1/tag."""

    object: Literal["list"] = "list"
    model: Name
    data: Annotated[list[Tagged], Field(max_length=4096)]


class Answered(Frozen):
    """What a text answers, at its code points [start, end); empty where it answers nothing."""

    index: Index
    text: Answer
    start: Place
    end: Place
    probability: Probability


class Answers(Frozen):
    """The answer of POST /v1/answer."""

    object: Literal["list"] = "list"
    model: Name
    data: Annotated[list[Answered], Field(max_length=4096)]


class Written(Frozen):
    """What was written for one text."""

    index: Index
    text: Answer


class Writings(Frozen):
    """The answer of POST /v1/translate, /v1/summarise and /v1/detokenize."""

    object: Literal["list"] = "list"
    model: Name
    data: Annotated[list[Written], Field(max_length=4096)]


class Tokenized(Frozen):
    """The tokens of one text: their ids, and what each is as text."""

    index: Index
    ids: Annotated[list[Number], Field(max_length=2**24)]
    texts: Annotated[list[Answer], Field(max_length=2**24)]


class Tokenizations(Frozen):
    """The answer of POST /v1/tokenize."""

    object: Literal["list"] = "list"
    model: Name
    data: Annotated[list[Tokenized], Field(max_length=4096)]
