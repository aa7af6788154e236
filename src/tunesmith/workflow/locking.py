"""What recipe.lock.yaml says: the recipe complete, and what it names held fast, wherever it is read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tunesmith.core import own_code
from tunesmith.core.chosen import Component
from tunesmith.core.recipe import Eval, Lock, Made, Own, Recipe, Train
from tunesmith.data.sources import find
from tunesmith.models import borrowed
from tunesmith.models.resolve import Resolved
from tunesmith.workflow.plan import Plan


def locked(plan: Plan) -> Recipe:
    """The recipe with all defaults, its template's text, absolute paths, versions and hashes."""
    lock = Lock(
        versions=plan.versions,
        sources=plan.sources,
        model=plan.identities,
        threads=plan.threads,
        memory=plan.memory,
    )
    source = {
        split: [entry.model_copy(update={"path": _absolute_source(plan, entry.path)}) for entry in entries]
        for split, entries in plan.recipe.data.source.items()
    }
    cleaners = [_pinned(cleaner) for cleaner in plan.cleaners]
    teacher = plan.answerer and _absolute(plan, plan.recipe.data.teacher or "", plan.answerer)
    augment = plan.recipe.data.augment
    if augment is not None:
        augment = augment.model_copy(update={"by": [_augmenter(plan, one) for one in plan.augmenters]})
    data = plan.recipe.data.model_copy(
        update={"source": source, "clean": cleaners, "teacher": teacher, "augment": augment}
    )
    models = [
        _absolute(plan, choice, candidate.source)
        for choice, candidate in zip(plan.recipe.model, plan.candidates, strict=True)
    ]
    prompt = plan.recipe.prompt.model_copy(update={"template": plan.template})
    changes = {
        "data": data, "model": models, "prompt": prompt, "lock": lock,
        "train": _train(plan), "eval": _pinned_eval(plan.recipe.eval),
    }  # fmt: skip
    return plan.recipe.model_copy(update=changes)


def _augmenter(plan: Plan, component: Component) -> Component:
    """An augmenter, its code and the models that it asks named by their paths."""
    models = {key: _absolute(plan, name, found) for key, name, found in plan.models_of(component)}
    return replace(_pinned(component), settings={**component.settings, **models})


def _train(plan: Plan) -> Train:
    """The train section, its code and its teacher named by their paths."""
    train = _pinned_train(plan.recipe.train)
    if plan.teacher is None:
        return train
    name = _absolute(plan, train.loss.settings["teacher"], plan.teacher)
    loss = replace(train.loss, settings={**train.loss.settings, "teacher": name})
    return train.model_copy(update={"loss": loss})


def _absolute_source(plan: Plan, path: str) -> str:
    """An entry's path or pattern from the root, so that the lock means the same anywhere."""
    beside = plan.base / path
    return str(beside if find(path, plan.base)[0].is_relative_to(plan.base) else Path(path).absolute())


def _absolute(plan: Plan, choice: str | Made, source: Resolved | Made) -> str | Made:
    """A model, or the code of one, that was found as a folder or file beside the recipe, by its path."""
    if isinstance(choice, Made):
        return _absolute_made(plan, choice, source)
    folder = source.folder if isinstance(source, Resolved) else None
    return _absolute_name(plan, choice, folder) if folder else choice


def _absolute_made(plan: Plan, choice: Made, source: Resolved | Made) -> Made:
    changes = {}
    if isinstance(choice, Own):
        changes["code"] = own_code.pinned(choice.code)
    if isinstance(source, Made) and borrowed.is_borrowed(choice):
        changes["tokenizer"] = _absolute_name(plan, choice.tokenizer, Path(source.tokenizer))
    return choice.model_copy(update=changes)


def _absolute_name(plan: Plan, name: str, folder: Path) -> str:
    places = ((root / name).resolve() for root in (plan.base, Path.cwd()))
    return str(folder) if folder in places else name


def _pinned(component: Component) -> Component:
    """A component whose code, if it is the user's own, is named by its path."""
    return replace(component, name=_pinned_name(component.name))


def _pinned_name(name: str) -> str:
    return own_code.pinned(name) if ":" in name else name


def _pinned_train(train: Train) -> Train:
    kinds = ("method", "loss", "optimizer", "schedule")
    metric = train.metric and _pinned_name(train.metric)
    return train.model_copy(
        update={**{kind: _pinned(getattr(train, kind)) for kind in kinds}, "metric": metric}
    )


def _pinned_eval(section: Eval) -> Eval:
    gate = {_pinned_name(name): bound for name, bound in section.gate.items()}
    metrics = [_pinned_name(name) for name in section.metrics]
    return section.model_copy(update={"metrics": metrics, "gate": gate})
