"""Carrying out a plan: each stage once, its result kept by content, everything said in events.jsonl."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from tunesmith.core import durable, recipe_file
from tunesmith.core.errors import DataError, GateError, StoppedError, TunesmithError
from tunesmith.core.events import (
    Completed,
    Event,
    Failed,
    StageFinished,
    StageStarted,
    Stopped,
    Warned,
)
from tunesmith.core.memory import peak_memory_bytes
from tunesmith.core.spent import Spent
from tunesmith.core.store import Release, Store
from tunesmith.train.parallel import ALONE, Group
from tunesmith.workflow import locking, promotion
from tunesmith.workflow.plan import Candidate, Plan

if TYPE_CHECKING:
    from pathlib import Path

    from tunesmith.data.ledger import Ledger
    from tunesmith.eval.report import Report
    from tunesmith.workflow.parts import Parts


def _never() -> bool:
    return False


def run(
    plan: Plan, *, stop: Callable[[], bool] = _never, lang: str = "en", group: Group = ALONE
) -> dict[str, Any]:
    """Carry out a plan and return its result (design: `run --json`).

    Raises:
        StoppedError: C12 when it was stopped; running it again continues.
        GateError: E10 when the model did not pass its gate; the run is complete and nothing was published.
    """
    for event in events(plan, stop=stop, lang=lang, group=group):
        if isinstance(event, Stopped):
            raise StoppedError("C12", run=plan.run.id, step=event.step)
    return finished(plan)


def finished(plan: Plan) -> dict[str, Any]:
    """The result of a complete run.

    Raises:
        GateError: E10 when the model did not pass its gate.
    """
    result = plan.run.result()
    if result is None:
        raise StoppedError("C12", run=plan.run.id, step=0)
    if result["gate"] is not None and not result["gate"]["passed"]:
        raise GateError("E10", file=plan.run.page, run=plan.run.id, failed=_failed(result["gate"]))
    return result


def _failed(gate: dict[str, Any]) -> str:
    return ", ".join(
        f"{_named(check)} {check['value']:.4g} ({check['rule']} {_bound(check)})"
        for check in gate["checks"]
        if not check["passed"]
    )


def _named(check: dict[str, Any]) -> str:
    """The metric of a rule, and of which rows."""
    part = check.get("slice")
    return f"{check['metric']} [{part}]" if part else str(check["metric"])


def _bound(check: dict[str, Any]) -> str:
    """What was to be reached: a figure, and of whom."""
    figure = "-" if check["bound"] is None else f"{check['bound']:.4g}"
    return f"{check['reference']}: {figure}" if check["reference"] else figure


def events(
    plan: Plan, *, stop: Callable[[], bool] = _never, lang: str = "en", group: Group = ALONE
) -> Iterator[Event]:
    """Carry out a plan, yielding what happens. A complete run yields nothing and does nothing.

    In a `group` this is what the first process does; `together` has what the others do.

    Raises:
        RecipeError, DataError: all mistakes found before training; nothing is written then.
    """
    if is_complete(plan):
        return
    execution = _Execution(plan, stop, lang, group)
    parts, prepared = yield from _remember(execution.data())
    with plan.run.locked():
        for folder in (plan.run.path, plan.workspace.cache, plan.workspace.models):
            durable.sweep(folder)
        for event in prepared:
            plan.run.events.append(event)
        try:
            for event in _followed(plan, execution.stages(parts)):
                plan.run.events.append(event)
                yield event
        except TunesmithError as error:
            problem = error.problems[0]
            # On a full disk this cannot be written either; what is told is the first error.
            with suppress(TunesmithError):
                plan.run.events.append(Failed(code=problem.code, values=dict(problem.values)))
            raise


def _followed(plan: Plan, events: Iterator[Event]) -> Iterator[Event]:
    """Events as they are, told to the trackers that the recipe names.

    Raises:
        MissingError: T09 when one is not installed; nothing is trained then.
    """
    names = plan.recipe.train.log_to
    if not names:
        yield from events
        return
    from tunesmith.train import logs

    logs.check(names)
    follower = logs.Follower(names, plan.run.id, plan.run.path)
    try:
        for event in events:
            follower.tell(event)
            yield event
    finally:
        follower.close()


def is_complete(plan: Plan) -> bool:
    """Whether the run has a result that still holds: its release is there, and its rival is the same.

    One whose own release took its rival's place holds too.
    """
    result = plan.run.result()
    if result is None:
        return False
    own = None
    if result["release"] is not None:
        own = Store(plan.workspace.database).find(result["release"])
        if own is None:
            return False
    if not plan.compares_with_production:
        return bool(result["rival"] is None)
    from tunesmith.workflow.judging import production

    rival = _digest_of(production(plan))
    return rival == result["rival"] or (own is not None and rival == own.digest)


def _digest_of(rival: Release | None) -> str | None:
    """The digest of the production model that a run was compared with, if there was one."""
    return rival.digest if rival else None


def _remember(
    source: Generator[Event, None, Parts],
) -> Generator[Event, None, tuple[Parts, list[Event]]]:
    """Pass events on, and keep them for a log that does not exist yet."""
    said: list[Event] = []
    while True:
        try:
            event = next(source)
        except StopIteration as end:
            return end.value, said
        said.append(event)
        yield event


class _Execution:
    """The stages of one run, in order."""

    def __init__(self, plan: Plan, stop: Callable[[], bool], lang: str, group: Group) -> None:
        self.plan = plan
        self.stop = stop
        self.lang = lang
        self.group = group
        self.began = Spent.now()

    def stages(self, parts: Parts) -> Iterator[Event]:
        """Training, evaluation and publication of prepared data."""
        recipe_file.write(locking.locked(self.plan), self.plan.run.recipe)
        if not (yield from self._search(parts)):
            return
        for candidate in self.plan.candidates:
            stopped = yield from self._train(candidate, parts)
            if stopped:
                return
        if (yield from self._ablate(parts)):
            return
        from tunesmith.workflow import judging

        # Another may be promoted meanwhile: what the model is held to is what is said of it.
        rival = judging.production(self.plan)
        ledger, report = yield from self._eval(parts, rival)
        if self.stop():
            yield Stopped(step=0)
            return
        release = yield from self._publish(report, rival)
        self._finish(report, ledger, release, parts, rival)
        yield Completed(seconds=(Spent.now() - self.began).seconds)

    def data(self) -> Generator[Event, None, Parts]:
        """The data stage; it writes into the cache only."""
        from tunesmith.workflow import answers
        from tunesmith.workflow import parts as data

        began = time.monotonic()
        yield StageStarted(stage="data")
        parts = data.make(self.plan)
        if parts.split(parts.held_out).is_empty():
            raise DataError("E03", metric=self.plan.task.metrics[0])
        parts = answers.of(self.plan, parts)
        for warning in (*self.plan.differences(), *parts.warnings):
            yield Warned(code=warning.code, values=warning.told)
        yield StageFinished(stage="data", cached=parts.cached, seconds=time.monotonic() - began)
        return parts

    def _search(self, parts: Parts) -> Generator[Event, None, bool]:
        """Go on with the best settings of a search, where the recipe asks for one; False when stopped."""
        if self.plan.recipe.train.search is None:
            return True
        from tunesmith.workflow import searching

        found = yield from searching.search(self.plan, parts, self.stop, self.group)
        if found is None:
            return False
        self.plan = found
        recipe_file.write(locking.locked(found), found.run.recipe)
        return True

    def _train(self, candidate: Candidate, parts: Parts) -> Generator[Event, None, bool]:
        from tunesmith.workflow import training

        began = time.monotonic()
        yield StageStarted(stage="train", detail=candidate.name)
        cached = durable.is_valid(training.folder_of(self.plan, candidate))
        if not cached:
            for event in training.train(self.plan, candidate, parts, self.stop, self.group):
                yield event
                if isinstance(event, Stopped):
                    return True
        yield StageFinished(stage="train", cached=cached, seconds=time.monotonic() - began)
        return False

    def _ablate(self, parts: Parts) -> Generator[Event, None, bool]:
        """Train without the rows that were made too, if there are any; whether it was stopped."""
        from tunesmith.workflow import ablating, judging

        if not ablating.seeds_of(self.plan):
            return False
        kept, _ = judging.choose(self.plan, parts)
        return (yield from ablating.train(self.plan, kept, parts, self.stop, self.group))

    def _eval(self, parts: Parts, rival: Release | None) -> Generator[Event, None, tuple[Ledger, Report]]:
        from tunesmith.workflow import ablating, judging, training

        began = time.monotonic()
        yield StageStarted(stage="eval")
        kept, tried = judging.choose(self.plan, parts)
        notes = training.notes_of(training.folder_of(self.plan, kept))
        truncated = {int(row): lost for row, lost in notes["truncated"].items()}
        ledger = parts.ledger.drop(notes["empty"], "nothing_to_learn").truncate(truncated)
        report, outcome, cached = judging.make(
            self.plan, parts, ledger, kept, tried, rival, ablating.told(self.plan, kept, parts)
        )
        self._keep(kept, parts, ledger, report, outcome)
        yield StageFinished(stage="eval", cached=cached, seconds=time.monotonic() - began)
        return ledger, report

    def _keep(self, kept: Candidate, parts: Parts, ledger: Ledger, report: Report, outcome: Path) -> None:
        """Put the model with its README.md, ledger, report and outcome into the run folder."""
        from tunesmith.eval import html
        from tunesmith.workflow import release_card, training

        with durable.new_folder(self.plan.run.model) as target:
            durable.link_files(training.folder_of(self.plan, kept), target)
            (target / "training.json").unlink()
            release_card.write(target, self.plan, kept, report, parts, self.lang)
        ledger.write(self.plan.run.ledger)
        durable.write_bytes(self.plan.run.outcome, outcome.read_bytes())
        durable.write_json(self.plan.run.report, report.as_dict())
        durable.write_bytes(self.plan.run.page, html.render(report, self.lang).encode())

    def _publish(self, report: Report, rival: Release | None) -> Generator[Event, None, Release | None]:
        wanted = self.plan.recipe.publish
        if wanted is None or not report.gate.passed:
            return None
        began = time.monotonic()
        yield StageStarted(stage="publish", detail=wanted.name)
        release = publish(self.plan, report, rival)
        yield StageFinished(stage="publish", cached=False, seconds=time.monotonic() - began)
        return release

    def _finish(
        self, report: Report, ledger: Ledger, release: Release | None, parts: Parts, rival: Release | None
    ) -> None:
        from tunesmith.eval import summary

        spent = Spent.now() - self.began
        self.plan.run.finish(
            {
                "run": self.plan.run.id,
                "path": str(self.plan.run.path),
                "status": "finished",
                "model": report.model,
                "release": release.label if release else None,
                "scores": dict(report.scores),
                "intervals": {name: asdict(interval) for name, interval in report.intervals.items()},
                "baselines": {name: dict(scores) for name, scores in report.baselines.items()},
                "differences": [asdict(difference) for difference in report.differences],
                "diagnosis": summary.diagnosis(report),
                "search": asdict(report.search) if report.search else None,
                "weights": asdict(report.weights) if report.weights else None,
                "forgetting": asdict(report.forgetting) if report.forgetting else None,
                "ablation": asdict(report.ablation) if report.ablation else None,
                "ledger": ledger.summary(),
                "augmented": parts.augmented,
                "gate": asdict(report.gate) if report.gate.checks else None,
                "rival": _digest_of(rival),
                "seconds": round(spent.seconds, 3),
                "cpu_seconds": round(spent.cpu, 3),
                "peak_memory_bytes": peak_memory_bytes(),
            }
        )
        shutil.rmtree(self.plan.run.checkpoints, ignore_errors=True)


def publish(plan: Plan, report: Report, rival: Release | None) -> Release:
    """Put the run's model among the workspace's models and point the recipe's alias to it.

    `rival` is the production model that it was compared with.
    """
    wanted = plan.recipe.publish
    if wanted is None:
        raise ValueError("the recipe publishes nothing")
    digest = durable.verify(plan.run.model)
    folder = plan.workspace.models / digest[:24]
    if not durable.is_valid(folder):
        with durable.new_folder(folder) as target:
            durable.link_files(plan.run.model, target)
    store = Store(plan.workspace.database)
    release = store.publish(
        wanted.name,
        digest=digest,
        folder=folder,
        task=plan.task.name,
        lineage=_lineage(plan, report, rival),
    )
    current = store.alias_version(wanted.name, wanted.alias)
    if current == release.version:
        return release
    return store.move(
        wanted.name, wanted.alias, release.version, expected=current, reason=f"run {plan.run.id}"
    )


def _lineage(plan: Plan, report: Report, rival: Release | None) -> dict[str, Any]:
    """Where a release comes from: the hashes of its rows, recipe and report, its run, scores and gate."""
    return {
        "run": plan.run.id,
        "data": plan.data_key,
        "recipe": durable.sha256(plan.run.recipe),
        "report": durable.sha256(plan.run.report),
        "scores": dict(report.scores),
        "gate": promotion.passed(report.gate, _digest_of(rival)),
        **plan.taught_by,
    }
