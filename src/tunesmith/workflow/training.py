"""The train stage of one candidate: from its start to a model folder in the cache."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.core import components, durable
from tunesmith.core.errors import DataError, ModelError
from tunesmith.core.events import Evaluated, Event, Finished, Step, Stopped
from tunesmith.core.recipe import Made
from tunesmith.eval.metrics import direction
from tunesmith.models.contract import PromptContract
from tunesmith.tasks.examples import Examples
from tunesmith.tasks.task import Example, Learner, Start
from tunesmith.train.parallel import ALONE, Group
from tunesmith.workflow import references, teachers, tokens
from tunesmith.workflow.parts import Parts
from tunesmith.workflow.plan import Candidate, Plan

if TYPE_CHECKING:
    import polars as pl
    from tokenizers import Tokenizer

_SHOWN = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoded:
    """Examples of the parts, `held_out` those of the final evaluation, and what encoding did to rows."""

    train: Sequence[Example]
    validation: Sequence[Example]
    held_out: Sequence[Example]
    truncated: dict[int, int]
    empty: tuple[int, ...]


def folder_of(plan: Plan, candidate: Candidate) -> Path:
    """Where the trained candidate is, or will be."""
    return plan.workspace.cache / f"train-{candidate.key[:32]}"


def train(
    plan: Plan, candidate: Candidate, parts: Parts, stop: Callable[[], bool], group: Group = ALONE
) -> Generator[Event]:
    """Train a candidate and put its model into the cache; continues where an earlier try was cut off.

    This is what the first process of a `group` does; the others `assist`.
    """
    if _is_tfidf(candidate):
        _fit_tfidf(plan, candidate, parts)
        return
    from tunesmith.train import checkpoints

    group.first(lambda: candidate.key)
    learner, encoded = group.in_turn(lambda: learner_of(plan, candidate, parts))
    found = checkpoints.newest(states_of(plan, candidate))
    # What an earlier try said after its last checkpoint, or without one, is said again now.
    plan.run.events.rewind(found.step if found else 0, candidate.name)
    for event in _gradient(plan, candidate, parts, learner, encoded, stop, group):
        yield event
        if isinstance(event, Stopped):
            return
    with durable.new_folder(folder_of(plan, candidate)) as folder:
        plan.task.save(replace(learner, card=_with_lineage(plan, candidate, learner)), folder)
        _write_notes(plan, candidate, encoded, folder)


def assist(plan: Plan, candidate: Candidate, parts: Parts, stop: Callable[[], bool], group: Group) -> None:
    """Train a candidate together with the first process of the group, and write nothing."""
    learner, encoded = group.in_turn(lambda: learner_of(plan, candidate, parts))
    for _ in _gradient(plan, candidate, parts, learner, encoded, stop, group):
        pass


def states_of(plan: Plan, candidate: Candidate) -> Path:
    """Where the checkpoints of its training are."""
    return plan.run.checkpoints / candidate.key[:12]


def _gradient(
    plan: Plan,
    candidate: Candidate,
    parts: Parts,
    learner: Learner,
    encoded: Encoded,
    stop: Callable[[], bool],
    group: Group,
) -> Iterator[Event]:
    from tunesmith.train.fitting import Room
    from tunesmith.train.loop import Readers
    from tunesmith.train.loop import train as loop
    from tunesmith.workflow.validating import Validation

    sign = -1 if direction(plan.metric) == "lower" else 1
    validation = Validation(plan, learner, parts, encoded.validation)
    readers = Readers(
        rank=lambda scores: sign * scores[plan.metric],
        evaluate=validation.scores,
        answers=validation.answers,
        stop=stop,
        place=lambda row: place(parts.ledger.frame, row),
    )
    return loop(
        learner, plan.task, encoded.train,
        settings=plan.recipe.train, seed=plan.recipe.seed, folder=states_of(plan, candidate), readers=readers,
        room=Room.now(plan.memory, group.beside), group=group,
    )  # fmt: skip


def _with_lineage(plan: Plan, candidate: Candidate, learner: Learner) -> Any:
    lineage = {"data": plan.data_key, "training": candidate.key, **plan.taught_by}
    return replace(learner.card, lineage=lineage)


def _write_notes(plan: Plan, candidate: Candidate, encoded: Encoded, folder: Path) -> None:
    """The curve and what encoding did to rows, for reports made later from the cached model."""
    events = list(plan.run.events.training(candidate.name))
    notes = {
        "curve": [[e.step, e.loss, e.learning_rate] for e in events if isinstance(e, Step)],
        "validation": [[e.step, dict(e.scores)] for e in events if isinstance(e, Evaluated)],
        "kept": [e.kept for e in events if isinstance(e, Finished)][-1:],
        "truncated": encoded.truncated,
        "empty": encoded.empty,
    }
    (folder / "training.json").write_text(json.dumps(notes), encoding="utf-8")


def notes_of(folder: Path) -> dict[str, Any]:
    """What `train` noted beside a model."""
    notes: dict[str, Any] = json.loads((folder / "training.json").read_text(encoding="utf-8"))
    return notes


def learner_of(plan: Plan, candidate: Candidate, parts: Parts) -> tuple[Learner, Encoded]:
    """The untrained model with its method applied, and the encoded rows.

    Raises:
        DataError: T02 when rows have nothing to learn and `on_error` is stop, or when no row has anything.
            E03 when there is nothing to measure the model on afterwards.
    """
    import torch

    from tunesmith.models import device

    torch.set_num_threads(plan.threads)
    device.take()
    start = Start(
        source=candidate.source,
        texts=plan.task.texts(parts.split("train")) if isinstance(candidate.source, Made) else (),
        labels=parts.labels,
        seed=plan.recipe.seed,
        context=plan.recipe.data.max_length,
        scale=parts.scale,
        bounds=parts.bounds,
    )
    learner = plan.task.build(start, lambda own, tokens: contract_of(plan, own, tokens))
    learner = teachers.beside(plan, _with_method(plan, candidate, learner))
    return learner, _encode(plan, candidate, learner, parts)


def _with_method(plan: Plan, candidate: Candidate, learner: Learner) -> Learner:
    """Choose what learns; where that takes positions, rows become as much shorter.

    Raises:
        RecipeError: T40, T41 when `freeze` matches nothing, or leaves nothing to learn.
        ModelError: M58 when the model has a prompt, which could not be told from what is learned now.
    """
    import torch

    from tunesmith.models import soft_prompt
    from tunesmith.train import freezing

    if soft_prompt.of(learner.backbone):
        raise ModelError("M58", name=candidate.name)
    method = plan.recipe.train.method
    torch.manual_seed(plan.recipe.seed)
    components.methods.get(method.name)(learner.backbone, **method.settings)
    freezing.freeze(learner.module, plan.recipe.train.freeze)
    context = min(learner.card.context, soft_prompt.room(learner.backbone) or learner.card.context)
    return replace(learner, card=replace(learner.card, context=context))


def contract_of(plan: Plan, own: PromptContract, tokenizer: Tokenizer) -> PromptContract:
    """The model's own contract with what the recipe's `prompt:` gives put over it."""
    if plan.template is not None:
        own = own.with_template(plan.template, tokenizer)
    given = plan.recipe.prompt.model_dump(exclude_none=True, exclude={"template", "system"})
    system = own.system if plan.recipe.prompt.system is None else plan.recipe.prompt.system
    return replace(own, system=system, generation=replace(own.generation, **given))


def _encode(plan: Plan, candidate: Candidate, learner: Learner, parts: Parts) -> Encoded:
    def examples_of(split: str) -> Examples:
        found = tokens.of(plan, parts, split, learner)
        found = teachers.answered(plan, parts, split, learner, found)
        return references.of(plan, candidate, parts, split, lambda: learner, found)

    made = examples_of("train")
    examples = made.learning()
    learning = set(examples.rows.tolist())
    # A row that was made to count more often is there more than once.
    empty = tuple(
        row for row in parts.split("train")["_row"].unique(maintain_order=True) if row not in learning
    )
    if empty and (plan.recipe.data.on_error == "stop" or not learning):
        raise _nothing_to_learn(parts, empty, learner.card.context)
    held_out = examples_of(parts.held_out).learning()
    if not held_out:
        raise DataError("E03", metric=plan.task.metrics[0])
    return Encoded(
        train=examples,
        validation=examples_of("validation").learning(),
        held_out=held_out,
        truncated={row: lost for row, lost in made.truncated().items() if row in learning},
        empty=empty,
    )


def _nothing_to_learn(parts: Parts, rows: Sequence[int], context: int) -> DataError:
    places = [place(parts.ledger.frame, row) for row in rows[:_SHOWN]]
    file, _, line = places[0].rpartition(":")
    shown = ", ".join(places)
    return DataError("T02", file=file, line=int(line), count=len(rows), context=context, places=shown)


def place(ledger: pl.DataFrame, row: int) -> str:
    """`file:line` of a row."""
    found = ledger.row(row, named=True)
    return f"{found['file']}:{found['line']}"


def _is_tfidf(candidate: Candidate) -> bool:
    return not isinstance(candidate.source, Made) and candidate.source.folder is None


def _fit_tfidf(plan: Plan, candidate: Candidate, parts: Parts) -> None:
    from tunesmith.models import tfidf
    from tunesmith.models.card import Card

    rows = parts.split("train")
    model = tfidf.fit(rows["text"].to_list(), rows["label"].to_list(), name="tfidf")
    lineage = {"data": plan.data_key, "training": candidate.key}
    with durable.new_folder(folder_of(plan, candidate)) as folder:
        model.save(folder)
        Card(kind="tfidf", task=plan.recipe.task, labels=model.labels, lineage=lineage).save(folder)
        _write_notes(
            plan, candidate, Encoded(train=[], validation=[], held_out=[], truncated={}, empty=()), folder
        )
