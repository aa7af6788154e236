"""tunesmith ask MODEL [TEXT | -]: a prediction, a continuation or a conversation in the terminal."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from tunesmith.cli import layout
from tunesmith.cli.output import Output, printable
from tunesmith.cli.parser import number
from tunesmith.core import text
from tunesmith.core.errors import NotFoundError, UsageError

if TYPE_CHECKING:
    from tunesmith.models.classifier import TextClassifier
    from tunesmith.models.embedder import TextEmbedder
    from tunesmith.models.filler import Guess, TextFiller
    from tunesmith.models.hosted import HostedModel
    from tunesmith.models.language import LanguageModel
    from tunesmith.models.loading import Model
    from tunesmith.models.reader import TextReader
    from tunesmith.models.scorer import TextScorer
    from tunesmith.models.tagger import Entity, TextTagger
    from tunesmith.models.tfidf import TfidfClassifier
    from tunesmith.models.translator import Translator

_RUNNERS_UP = 3
_NUMBERS = 6
_HALF = 0.5
_LINES_AT_ONCE = 64


def arguments(parser: argparse.ArgumentParser, lang: str) -> None:
    """The model, what to ask it, and how to generate."""
    parser.add_argument("model", help=text.say("cli.argument_model", lang))
    parser.add_argument("text", nargs="?", metavar="TEXT", help=text.say("cli.argument_text", lang))
    for option, kind in (
        ("--max-new-tokens", number(int, 1, 1_048_576)),
        ("--temperature", number(float, 0, 2)),
        ("--seed", number(int, 0, 2**63 - 1)),
    ):
        name = option.removeprefix("--").replace("-", "_")
        parser.add_argument(option, type=kind, metavar="N", help=text.say(f"cli.option_{name}", lang))

    parser.add_argument("--about", type=Path, metavar="FILE", help=text.say("cli.option_about", lang))


def run(given: argparse.Namespace, output: Output) -> int:
    """Load the model and answer."""
    if given.text is not None and not given.text.strip():
        raise UsageError("U04", name="TEXT", wanted=text.say("cli.argument_text", output.lang))
    from tunesmith.models.loading import load
    from tunesmith.models.resolve import resolve

    resolved = resolve(given.model, output.workspace)
    answerer = _answerer(load(resolved), resolved.name, given, output)
    if given.text is None and sys.stdin.isatty():
        _converse(answerer, output)
    elif given.text in (None, "-"):
        while lines := [line.strip() for line in islice(sys.stdin, _LINES_AT_ONCE)]:
            answerer.answer_lines([line for line in lines if line])
    else:
        answerer.answer(given.text)
    return 0


class _Answerer(Protocol):
    def answer(self, asked: str) -> None:
        """Answer one text."""

    def answer_lines(self, asked: Sequence[str]) -> None:
        """Answer texts that know nothing of each other."""


def _answerer(model: Model, name: str, given: argparse.Namespace, output: Output) -> _Answerer:
    """What answers for a model."""
    from tunesmith.models.embedder import TextEmbedder
    from tunesmith.models.filler import TextFiller
    from tunesmith.models.hosted import HostedModel
    from tunesmith.models.language import LanguageModel
    from tunesmith.models.reader import TextReader
    from tunesmith.models.scorer import TextScorer
    from tunesmith.models.tagger import TextTagger
    from tunesmith.models.translator import Translator

    if isinstance(model, LanguageModel | HostedModel):
        return _Writer(model, name, given, output)
    if isinstance(model, Translator):
        return _Interpreter(model, name, output)
    if isinstance(model, TextEmbedder):
        return _Surveyor(model, name, output)
    if isinstance(model, TextFiller):
        return _Filler(model, name, output)
    if isinstance(model, TextReader):
        return _Reader(model, name, given.about, output)
    if isinstance(model, TextTagger):
        return _Finder(model, name, output)
    return _Grader(model, name, output) if isinstance(model, TextScorer) else _Judge(model, name, output)


def _converse(answerer: _Answerer, output: Output) -> None:
    output.hint(output.say("ask_how_to_end"))
    while line := _line():
        answerer.answer(line)


def _line() -> str:
    """What is typed next; empty at the end."""
    sys.stderr.write("> ")
    sys.stderr.flush()
    return sys.stdin.readline().strip()


class _Judge:
    """Answers of a classifier."""

    def __init__(self, model: TextClassifier | TfidfClassifier, name: str, output: Output) -> None:
        self.model = model
        self.name = name
        self.output = output

    def answer(self, asked: str) -> None:
        """The label, its probability, and the runners-up."""
        ranked = self._ranked([asked])[0]
        self._data(ranked)
        has = dict(self._given(ranked))
        shown = ranked[: max(len(has), _RUNNERS_UP + 1)]
        widest = max(layout.width(label) for label, _ in shown)
        for label, probability in shown:
            mark = "→ " if label in has else "  "
            self.output.line(f"{mark}{layout.pad(label, widest)}  {probability:.4f}")

    def answer_lines(self, asked: Sequence[str]) -> None:
        """A line for each text: label, tabulator, probability; several with bars between them."""
        for ranked in self._ranked(asked) if asked else ():
            self._data(ranked)
            given = self._given(ranked)
            labels, shares = "|".join(label for label, _ in given), "|".join(f"{p:.4f}" for _, p in given)
            self.output.line(f"{labels}\t{shares}")

    def _given(self, ranked: list[tuple[str, float]]) -> list[tuple[str, float]]:
        """The label that the model gives, or where it may give several those likelier than not."""
        if not getattr(self.model, "several", False):
            return ranked[:1]
        return [(label, probability) for label, probability in ranked if probability >= _HALF]

    def _ranked(self, asked: Sequence[str]) -> list[list[tuple[str, float]]]:
        """For each text all labels with their probabilities, the most probable first."""
        return [
            sorted(
                zip(self.model.labels, map(float, row), strict=True), key=lambda pair: pair[1], reverse=True
            )
            for row in self.model.predict(asked)
        ]

    def _data(self, ranked: list[tuple[str, float]]) -> None:
        shares = {label: round(probability, 6) for label, probability in ranked}
        several = {"labels": [label for label, _ in self._given(ranked)]}
        beside = several if getattr(self.model, "several", False) else {}
        told = {"model": self.name, "task": "classify", "label": ranked[0][0], **beside}
        self.output.data({**told, "probabilities": shares})


class _Finder:
    """Entities in texts."""

    def __init__(self, model: TextTagger, name: str, output: Output) -> None:
        self.model = model
        self.name = name
        self.output = output

    def answer(self, asked: str) -> None:
        """A line for each entity: its label, its text, its probability."""
        (found,) = self.model.tag(asked)
        self._data(found)
        widest = max((layout.width(entity.label) for entity in found), default=0)
        for entity in found:
            self.output.line(f"{layout.pad(entity.label, widest)}  {entity.text}  {entity.probability:.4f}")

    def answer_lines(self, asked: Sequence[str]) -> None:
        """A line for each text: its entities as `text (label)`, between tabulators."""
        for found in self.model.tag(asked):
            self._data(found)
            self.output.line("\t".join(f"{entity.text} ({entity.label})" for entity in found))

    def _data(self, found: Sequence[Entity]) -> None:
        entities = [{**asdict(entity), "probability": round(entity.probability, 6)} for entity in found]
        self.output.data({"model": self.name, "task": "tag", "entities": entities})


class _Reader:
    """Answers from a text: that of a file, or what stands after a tabulator behind each question."""

    def __init__(self, model: TextReader, name: str, about: Path | None, output: Output) -> None:
        self.model = model
        self.name = name
        self.output = output
        self.about = None if about is None else _read(about)

    def answer(self, asked: str) -> None:
        """The answer to a question."""
        self.answer_lines([asked])

    def answer_lines(self, asked: Sequence[str]) -> None:
        """A line for each question; an empty one where the text does not answer."""
        questions, texts = zip(*map(self._pair, asked), strict=True) if asked else ((), ())
        for answer in self.model.answer(questions, texts):
            self.output.data({"model": self.name, "task": "answer", **asdict(answer)})
            self.output.line(answer.text)

    def _pair(self, asked: str) -> tuple[str, str]:
        question, _, beside = asked.partition("\t")
        if not (found := beside or self.about):
            raise UsageError("T23", name=self.name)
        return question, found


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise NotFoundError("C01", file=path) from error


class _Interpreter:
    """Translations."""

    def __init__(self, model: Translator, name: str, output: Output) -> None:
        self.model = model
        self.name = name
        self.output = output

    def answer(self, asked: str) -> None:
        """The translation of a text."""
        self.answer_lines([asked])

    def answer_lines(self, asked: Sequence[str]) -> None:
        """A line for each text."""
        for answer in self.model.translate(asked):
            self.output.data({"model": self.name, "task": self.model.task or "translate", "answer": answer})
            self.output.line(answer)


class _Grader:
    """Numbers for texts."""

    def __init__(self, model: TextScorer, name: str, output: Output) -> None:
        self.model = model
        self.name = name
        self.output = output

    def answer(self, asked: str) -> None:
        """The number of a text."""
        self.answer_lines([asked])

    def answer_lines(self, asked: Sequence[str]) -> None:
        """A line for each text."""
        for number_found in self.model.score(asked).tolist():
            self.output.data({"model": self.name, "task": "score", "score": number_found})
            self.output.line(f"{number_found:.4f}")


class _Filler:
    """Words in the place of masks."""

    def __init__(self, model: TextFiller, name: str, output: Output) -> None:
        self.model = model
        self.name = name
        self.output = output

    def answer(self, asked: str) -> None:
        """For each mask its likeliest tokens and their probabilities."""
        for guesses in self._found(asked):
            widest = max(layout.width(guess.text) for guess in guesses)
            for guess in guesses:
                mark = "→ " if guess is guesses[0] else "  "
                self.output.line(f"{mark}{layout.pad(guess.text, widest)}  {guess.probability:.4f}")

    def answer_lines(self, asked: Sequence[str]) -> None:
        """A line for each text, its masks filled in."""
        for line in asked:
            self._found(line)
            self.output.line(self.model.filled(line))

    def _found(self, asked: str) -> list[list[Guess]]:
        """What may stand in the place of each mask of a text."""
        (found,) = self.model.fill(asked)
        if not found:
            raise UsageError("T26", name=self.name, text=asked)
        masks = [[asdict(guess) for guess in guesses] for guesses in found]
        told = {"text": self.model.filled(asked), "masks": masks}
        self.output.data({"model": self.name, "task": "mask", **told})
        return found


class _Surveyor:
    """Vectors of texts; of several texts also which is nearest to each."""

    def __init__(self, model: TextEmbedder, name: str, output: Output) -> None:
        self.model = model
        self.name = name
        self.output = output

    def answer(self, asked: str) -> None:
        """The first numbers of the vector; with JSON all."""
        vector = self.model.embed(asked)[0]
        self._data(asked, vector.tolist())
        shown = " ".join(f"{value:.4f}" for value in vector[:_NUMBERS])
        self.output.line(f"{shown} … ({len(vector)})")

    def answer_lines(self, asked: Sequence[str]) -> None:
        """A line for each text: the cosine to the most similar other text, tabulator, that text."""
        vectors = self.model.embed(asked)
        close = vectors @ vectors.T
        for i, text_asked in enumerate(asked):
            close[i, i] = -2.0
            nearest = int(close[i].argmax())
            found = {"nearest": asked[nearest], "similarity": round(float(close[i, nearest]), 6)}
            self._data(text_asked, vectors[i].tolist(), **(found if len(asked) > 1 else {}))
            if len(asked) > 1:
                self.output.line(f"{close[i, nearest]:.4f}\t{asked[nearest]}")
            else:
                self.answer(text_asked)

    def _data(self, asked: str, vector: list[float], **beside: Any) -> None:
        self.output.data({"model": self.name, "task": "embed", "text": asked, "vector": vector, **beside})


class _Writer:
    """Answers of a language model: continuations of a text, or a conversation that it remembers."""

    def __init__(
        self, model: LanguageModel | HostedModel, name: str, given: argparse.Namespace, output: Output
    ) -> None:
        self.model = model
        self.name = name
        self.output = output
        self.task = "generate" if model.task == "generate" else "chat"
        wanted = {name: getattr(given, name) for name in ("max_new_tokens", "temperature", "seed")}
        self.settings: dict[str, Any] = {k: v for k, v in wanted.items() if v is not None}
        self.turns: list[dict[str, str]] = []

    def answer(self, asked: str) -> None:
        """The answer as it is made; with JSON, when it is complete."""
        said: list[str] = []
        for piece in self._pieces(asked):
            said.append(piece)
            if not self.output.as_json:
                sys.stdout.write(printable(piece))
                sys.stdout.flush()
        self.output.line()
        answer = "".join(said)
        if self.task == "chat":
            self.turns.append({"role": "assistant", "content": answer})
        self.output.data({"model": self.name, "task": self.task, "answer": answer})

    def answer_lines(self, asked: Sequence[str]) -> None:
        """An answer to each line, which know nothing of each other."""
        for line in asked:
            self.turns.clear()
            self.answer(line)

    def _pieces(self, asked: str) -> Iterator[str]:
        from tunesmith.models.language import LanguageModel

        if self.task == "generate" and isinstance(self.model, LanguageModel):
            return self.model.continuation(asked, **self.settings)
        self.turns.append({"role": "user", "content": asked})
        if isinstance(self.model, LanguageModel):
            self._forget(self.model)
        return self.model.stream(self.turns, **self.settings)

    def _forget(self, model: LanguageModel) -> None:
        """Leave out the oldest questions and answers while the conversation fills the context."""
        contract, tokens = model.contract, model.tokenizer
        while len(self.turns) > 1 and len(contract.encode(tokens, self.turns)) >= model.context:
            del self.turns[:2]
            self.output.hint(self.output.say("ask_forgot"))
