"""From a recipe file to all that a run depends on, as hashes; decided without reading a row or a tensor.

data key    <- files' bytes, data section, task, seed
train key   <- data key, model's bytes or size, prompt, train section, threads, versions
eval key    <- train keys, eval section
run id      <- everything
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tunesmith import __version__
from tunesmith.core import cache, components, durable, own_code, recipe_file
from tunesmith.core.chosen import Component
from tunesmith.core.errors import Problem, RecipeError
from tunesmith.core.memory import machine_memory_bytes
from tunesmith.core.recipe import Made, Own, Recipe, Scratch
from tunesmith.core.runs import RunFolder
from tunesmith.core.workspace import Workspace
from tunesmith.data import setting_files
from tunesmith.data.source_file import SourceFile
from tunesmith.data.sources import locate, source_paths
from tunesmith.models import borrowed
from tunesmith.models.contract import TEMPLATES
from tunesmith.models.endpoint import PREFIX
from tunesmith.models.resolve import Resolved, resolve, weights_digest
from tunesmith.tasks.task import Task
from tunesmith.workflow import check
from tunesmith.workflow.feedback import versions
from tunesmith.workflow.settling import settled, task_of

_GIB = 2**30
# Settings of augmenters that name the models which they ask.
_ASKED = ("model", "there", "back")
_PACKAGES = ("torch", "transformers", "tokenizers", "polars", "scikit-learn", "numpy")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model to train: its name, where it starts from, what identifies that, the key of its training."""

    name: str
    source: Resolved | Made
    identity: str
    key: str


@dataclass(frozen=True)
class Plan:
    """A recipe and where it is carried out."""

    recipe: Recipe
    file: Path
    workspace: Workspace
    resumed: RunFolder | None = None

    @property
    def base(self) -> Path:
        """The folder that relative paths of the recipe start from."""
        return self.file.absolute().parent

    @cached_property
    def task(self) -> Task:
        """The task, ready to use."""
        return task_of(self.recipe.task, self.recipe.data, self.base)

    @property
    def metric(self) -> str:
        """What the best weights and the best model are chosen by."""
        return self.recipe.train.metric or self.task.metrics[0]

    @property
    def followed(self) -> list[str]:
        """The metrics of the validation part."""
        return list(dict.fromkeys([*self.task.metrics, self.metric]))

    @cached_property
    def paths(self) -> dict[str, list[Path]]:
        """The data files by split."""
        return source_paths(self.recipe.data, self.base)

    @cached_property
    def sources(self) -> dict[str, str]:
        """The sha256 of every data file."""
        return {str(path): durable.sha256(path) for paths in self.paths.values() for path in paths}

    @cached_property
    def versions(self) -> dict[str, str]:
        """The packages that decide about bytes."""
        return {"tunesmith": __version__, **{name: version(name) for name in _PACKAGES}}

    @cached_property
    def threads(self) -> int:
        """How many threads compute: sums are taken in another order with another number."""
        if self.recipe.lock is not None:
            return self.recipe.lock.threads
        if wanted := os.environ.get("OMP_NUM_THREADS"):
            return int(wanted)
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

    @cached_property
    def memory(self) -> int | None:
        """The memory of the machine that `auto` chooses by, in bytes.

        In whole GiB, so that a run mostly stays the same after an update of the system, which leaves less.
        """
        if self.recipe.lock is not None:
            return self.recipe.lock.memory
        found = machine_memory_bytes()
        return found if found is None or found < _GIB else found // _GIB * _GIB

    @cached_property
    def data_key(self) -> str:
        """What the rows depend on that are learned: the prepared ones, and whose answers they have."""
        if self.answerer is None:
            return self.prepared_key
        prompt = self.recipe.prompt
        return cache.key(
            prepared=self.prepared_key,
            answerer=_identity_of_found(self.answerer),
            asked=[prompt.system, prompt.max_new_tokens],
            threads=self.threads,
            versions=self.versions,
        )

    @cached_property
    def prepared_key(self) -> str:
        """What the prepared data depends on."""
        section = self.recipe.data.model_copy(update={"clean": self.cleaners})
        if section.augment is not None:
            by = [_without(one, *_ASKED) for one in self.augmenters]
            section = section.model_copy(update={"augment": section.augment.model_copy(update={"by": by})})
        data = section.model_dump(mode="json", exclude={"source", "max_length", "teacher"})
        if data["augment"] is not None:
            data["augment"].pop("seeds")
        files = [
            [
                split,
                entry.weight,
                entry.cap,
                [self._identity(file) for file in locate(entry.path, self.base, split)],
            ]
            for split, entries in self.recipe.data.source.items()
            for entry in entries
        ]
        listed = [*self.recipe.data.clean, *self.augmenters]
        read = [str(durable.sha256(path)) for path in setting_files.files(listed, self.base)]
        return cache.key(
            version=__version__,
            data=data,
            files=files,
            read=read,
            code=[components.cleaners.identity(cleaner.name) for cleaner in self.recipe.data.clean],
            augmenting=[self._identity_of_augmenter(one) for one in self.augmenters],
            shape=self.task.shape,
            seed=self.recipe.seed,
        )

    @property
    def cleaners(self) -> list[Component]:
        """The cleaners of the recipe, files that their settings name found beside it."""
        return [setting_files.located(component, self.base) for component in self.recipe.data.clean]

    @property
    def augmenters(self) -> Sequence[Component]:
        """The augmenters of the recipe, files that their settings name found beside it."""
        augment = self.recipe.data.augment
        return [setting_files.located(one, self.base) for one in augment.by] if augment else ()

    def _identity_of_augmenter(self, component: Component) -> list[str]:
        """What decides about new rows beside settings: its code, and the models that it asks."""
        found = [f"{key} {_identity_of_found(model)}" for key, _, model in self.models_of(component)]
        return [components.augmenters.identity(component.name), *found]

    def models_of(self, component: Component) -> list[tuple[str, str, Resolved]]:
        """The models that an augmenter asks: each with the setting that names it, and its name."""
        given = ((key, component.settings.get(key)) for key in _ASKED)
        return [
            (key, name, resolve(name, self.workspace, base=self.base))
            for key, name in given
            if isinstance(name, str)
        ]

    def _identity(self, file: SourceFile) -> list[Any]:
        """What rows a file gives: its bytes, and what its source says about it."""
        hashes = [[str(path), self.sources[str(path)]] for path in file.paths]
        return [hashes, [name for name, _ in file.aligned], dict(file.fields), file.limit, file.part]

    @cached_property
    def candidates(self) -> tuple[Candidate, ...]:
        """The models to train, each with its key and a name of its own."""
        made: list[Candidate] = []
        for choice in self.recipe.model:
            candidate = self._candidate(choice)
            same = sum(other.name.partition("#")[0] == candidate.name for other in made)
            made.append(replace(candidate, name=f"{candidate.name}#{same + 1}") if same else candidate)
        return tuple(made)

    @cached_property
    def teacher(self) -> Resolved | None:
        """The model that the loss compares with, if it names one."""
        name = self.recipe.train.loss.settings.get("teacher")
        return resolve(name, self.workspace, base=self.base) if isinstance(name, str) else None

    @property
    def teacher_identity(self) -> str | None:
        """The sha256 of what the teacher is."""
        return None if self.teacher is None else _identity_of_found(self.teacher)

    @cached_property
    def answerer(self) -> Resolved | None:
        """The model whose answers are learned in place of the rows' own, if the recipe names one."""
        name = self.recipe.data.teacher
        return resolve(name, self.workspace, base=self.base) if name is not None else None

    @property
    def taught_by(self) -> dict[str, str]:
        """The teachers as the lineage of what they teach names them, each with its sha256."""
        found = {"teacher": self.teacher, "answers_of": self.answerer}
        return {
            noun: f"{model.name} {_identity_of_found(model)}"
            for noun, model in found.items()
            if model is not None
        }

    def _candidate(self, choice: str | Made) -> Candidate:
        if isinstance(choice, Made):
            made = borrowed.located(choice, self.workspace, self.base)
            source: Resolved | Made = made
            identity = _identity_of(made)
        else:
            source = resolve(choice, self.workspace, base=self.base)
            identity = _identity_of_found(source)
        return Candidate(_name_of(source), source, identity, self._training_key(identity))

    def _training_key(self, identity: str) -> str:
        """What the training of a model depends on; on a teacher's content, and not on what it is called."""
        train = self.recipe.train
        train = train.model_copy(update={"loss": _without(train.loss, "teacher")})
        return cache.key(
            data=self.data_key,
            task=self.recipe.task,
            model=identity,
            prompt={**self.recipe.prompt.model_dump(mode="json"), "template": self.template},
            train=train.model_dump(mode="json", exclude={"save_every", "log_to", "search"}),
            teacher=self.teacher_identity,
            code=self._training_code(),
            max_length=self.recipe.data.max_length,
            on_error=self.recipe.data.on_error,
            seed=self.recipe.seed,
            threads=self.threads,
            memory=self.memory if self.recipe.train.micro_batch_tokens == "auto" else None,
            versions=self.versions,
        )

    def varied(self, values: Mapping[str, Any], mark: str = "") -> Plan:
        """The same plan with other settings of `train`, in the same run; `mark` tells its models apart."""
        train = recipe_file.with_values(self.recipe.train, values, self.base)
        return self._changed({"train": train}, self.data_key, mark)

    def reseeded(self, seed: int, data_key: str, mark: str) -> Plan:
        """The same plan with another seed for training, on the rows that `data_key` identifies."""
        return self._changed({"seed": seed}, data_key, mark)

    def _changed(self, update: Mapping[str, Any], data_key: str, mark: str) -> Plan:
        made = Plan(self.recipe.model_copy(update=update), self.file, self.workspace, resumed=self.run)
        # Files and models are not read again: they are hashed whole.
        vars(made).update(task=self.task, sources=self.sources, data_key=data_key)
        vars(made)["candidates"] = tuple(
            replace(one, name=one.name + mark, key=made._training_key(one.identity))
            for one in self.candidates
        )
        return made

    def _training_code(self) -> list[str]:
        train = self.recipe.train
        return [
            components.tasks.identity(self.recipe.task),
            components.methods.identity(train.method.name),
            components.losses.identity(train.loss.name),
            components.optimizers.identity(train.optimizer.name),
            components.schedules.identity(train.schedule.name),
            components.metrics.identity(self.metric),
        ]

    @cached_property
    def template(self) -> str | None:
        """The text of the recipe's prompt template: built in, in a file, or written out in the recipe."""
        wanted = self.recipe.prompt.template
        if wanted is None or wanted in TEMPLATES:
            return wanted and TEMPLATES[wanted]
        file = self.base / wanted if len(wanted) < 256 and "\n" not in wanted else None
        return file.read_text(encoding="utf-8") if file is not None and file.is_file() else wanted

    @property
    def identities(self) -> str:
        """The sha256 of every model the run starts from, and of those that teach."""
        teachers = [_identity_of_found(model) for model in (self.teacher, self.answerer) if model]
        return " ".join([*(candidate.identity for candidate in self.candidates), *teachers])

    @property
    def compares_with_production(self) -> bool:
        """Whether the model in production under the recipe's name is measured beside the new one."""
        rules = self.recipe.eval.gate.values()
        named = [name for bound in rules for name in (bound.not_worse_than, bound.better_than)]
        asked = "production" in [*self.recipe.eval.against, *named]
        return asked and self.recipe.publish is not None and self.workspace.database.exists()

    @cached_property
    def eval_key(self) -> str:
        """What the report depends on, the production model apart."""
        trained = [candidate.key for candidate in self.candidates]
        return cache.key(
            trained=trained,
            eval=self.recipe.eval.model_dump(mode="json"),
            ablation=self.recipe.data.augment.seeds if self.recipe.data.augment else 0,
            hosted=[
                found.digest
                for name in self.recipe.eval.against
                if name.startswith(PREFIX) and (found := resolve(name, self.workspace).hosted)
            ],
            code=[components.metrics.identity(name) for name in self.recipe.eval.metrics],
        )

    @cached_property
    def run(self) -> RunFolder:
        """The run's folder: the same recipe on the same data and machine has the same one."""
        if self.resumed is not None:
            return self.resumed
        publish = self.recipe.publish.model_dump() if self.recipe.publish else None
        train = self.recipe.train
        search = train.search.model_dump() if train.search else None
        identity = cache.key(eval=self.eval_key, publish=publish, save=train.save_every, search=search)
        stem = "".join(c if c.isalnum() else "-" for c in self.file.name.split(".")[0].lower()) or "run"
        return RunFolder(self.workspace.runs / f"{stem[:40]}-{identity[:10]}")

    def differences(self) -> list[Problem]:
        """Packages whose version is not the one the recipe's lock was made with: other bytes may come out."""
        lock = self.recipe.lock
        if lock is None:
            return []
        return [
            Problem(code="R10", values={"package": name, "expected": expected, "found": found})
            for name, expected in lock.versions.items()
            if (found := self.versions.get(name, "-")) != expected
        ]


def _without(component: Component, *settings: str) -> Component:
    """A component without those of some settings that name something."""
    given = component.settings.items()
    kept = {name: value for name, value in given if name not in settings or not isinstance(value, str)}
    return replace(component, settings=kept)


def _identity_of(choice: Made) -> str:
    """What decides about a model that is made here."""
    said = choice.model_dump()
    if borrowed.is_borrowed(choice):
        said["tokenizer"] = borrowed.digest(Path(choice.tokenizer))
    if isinstance(choice, Own):
        name = own_code.reference(choice.code)
        said["code"] = [name, durable.sha256(own_code.source_file(name))]
    return cache.key(**said)


def _identity_of_found(model: Resolved) -> str:
    """What decides about a model that was found: its bytes, or what is known of a host."""
    if model.hosted is not None:
        return model.hosted.digest
    return weights_digest(model.folder) if model.folder else model.name


def _name_of(source: Resolved | Made) -> str:
    if isinstance(source, Own):
        return source.code.rpartition(":")[2]
    if isinstance(source, Scratch):
        return f"{source.architecture}-{source.layers}x{source.hidden}"
    return source.name


def make(file: Path, workspace: Workspace, overrides: Sequence[str] = ()) -> Plan:
    """Read a recipe, find what is wrong with it, and hold it to its lock, if it has one.

    Raises:
        RecipeError: all mistakes of the recipe; R09 when locked data changed.
        NotFoundError: when all that is wrong is files or models that do not exist.
    """
    document = recipe_file.parse(file, overrides)
    recipe, problems = recipe_file.validate(document)
    if recipe is None:
        check.stop_for(check.find(document, workspace)[1] or problems)
        raise RecipeError.of(problems)
    recipe = versions.located(recipe, workspace)
    check.ready(document, recipe, workspace)
    plan = _plan(recipe, file, workspace)
    _hold_to_lock(plan)
    return plan


def of(recipe: Recipe, name: str, workspace: Workspace) -> Plan:
    """The plan of a Recipe object; its relative paths start from the current folder.

    Raises:
        RecipeError: what its parts ask of each other and do not get.
    """
    file = Path.cwd() / f"{name}.yaml"
    recipe = versions.located(recipe, workspace)
    values = recipe.model_dump(mode="json", exclude_unset=True)
    check.ready(recipe_file.Document(path=file, values=values, lines={}), recipe, workspace)
    return _plan(recipe, file, workspace)


def _plan(recipe: Recipe, file: Path, workspace: Workspace) -> Plan:
    task = task_of(recipe.task, recipe.data, file.absolute().parent)
    return Plan(settled(recipe, task), file, workspace)


def resume(run: RunFolder, workspace: Workspace) -> Plan:
    """The plan of a run that was begun, from its lock file.

    Raises:
        RecipeError: R09 when its data or model changed since.
    """
    plan = Plan(recipe_file.load(run.recipe), run.recipe, workspace, resumed=run)
    _hold_to_lock(plan)
    return plan


def _hold_to_lock(plan: Plan) -> None:
    lock = plan.recipe.lock
    if lock is None:
        return
    found = {**plan.sources, "model": plan.identities}
    locked = {**lock.sources, "model": lock.model}
    for path in {**locked, **found}:
        expected, now = locked.get(path, "-"), found.get(path, "-")
        if now != expected:
            raise RecipeError("R09", file=path, expected=expected[:16], found=now[:16])
