"""A served model with the calls of one that was loaded here: whose code uses one can use the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from tunesmith.serve.remote import Messages, Texts

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tunesmith.models.reader import Answer
    from tunesmith.models.tagger import Entity
    from tunesmith.serve.client import Client


class RemoteModel:
    """The model `name` of a server. It answers what a model of its task answers; see `Client` for errors."""

    def __init__(self, client: Client, name: str) -> None:
        self._client = client
        self.name = name

    def chat(self, messages: Messages, **settings: Any) -> str:
        """As `LanguageModel.chat`."""
        return self._client.chat(messages, model=self.name, **settings)

    def stream(self, messages: Messages, **settings: Any) -> Iterator[str]:
        """As `LanguageModel.stream`."""
        return self._client.stream(messages, model=self.name, **settings)

    def generate(self, text: str, **settings: Any) -> str:
        """As `LanguageModel.generate`."""
        return self._client.complete(text, model=self.name, **settings)

    def classify(self, texts: Texts) -> list[str]:
        """As `TextClassifier.classify`."""
        return [row["label"] for row in self._client.classify(texts, model=self.name)]

    def predict(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """As `TextClassifier.predict`."""
        found = self._client.classify(texts, model=self.name)
        return _array([list(row["probabilities"].values()) for row in found])

    def tag(self, texts: Texts) -> list[list[Entity]]:
        """As `TextTagger.tag`."""
        from tunesmith.models.tagger import Entity

        return [[Entity(**entity) for entity in row] for row in self._client.tag(texts, model=self.name)]

    def answer(self, questions: Sequence[str], texts: Sequence[str]) -> list[Answer]:
        """As `TextReader.answer`."""
        from tunesmith.models.reader import Answer

        found = self._client.answer(questions, texts, model=self.name)
        names = ("text", "start", "end", "probability")
        return [Answer(**{name: row[name] for name in names}) for row in found]

    def translate(self, texts: Texts, **settings: Any) -> list[str]:
        """As `Translator.translate`."""
        return self._client.translate(texts, model=self.name, **settings)

    def embed(self, texts: Texts) -> NDArray[np.float32]:
        """As `TextEmbedder.embed`."""
        return _array(self._client.embed(texts, model=self.name))

    def score(self, texts: Texts) -> NDArray[np.float32]:
        """As `TextScorer.score`."""
        return _array(self._client.score(texts, model=self.name))


def _array(rows: Any) -> NDArray[np.float32]:
    import numpy as np

    return np.array(rows, dtype=np.float32)
