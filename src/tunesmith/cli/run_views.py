"""Runs as tables and lists of facts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from tunesmith.cli import gate_view, layout
from tunesmith.cli.output import Output
from tunesmith.cli.run_verb import (
    show_augmented,
    show_diagnosis,
    show_differences,
    show_forgetting,
    show_ledger,
    show_search,
    show_weights,
)
from tunesmith.core import text
from tunesmith.core.events import (
    Event,
    Failed,
    StageFinished,
    StageStarted,
    Step,
    TrialFinished,
    TrialStarted,
    Warned,
)
from tunesmith.core.runs import RunFolder


def summary(run: RunFolder) -> dict[str, Any]:
    """A run in a few values."""
    result = run.result() or {}
    return {
        "run": run.id,
        "status": run.status(),
        "model": result.get("model"),
        "scores": result.get("scores", {}),
        "release": result.get("release"),
        "seconds": result.get("seconds"),
        "changed": _changed(run),
    }


def _changed(run: RunFolder) -> float:
    return max(path.stat().st_mtime for path in (run.recipe, run.events.path) if path.exists())


def show_list(found: list[dict[str, Any]], output: Output) -> None:
    """A line for each run, the newest last."""
    if not found:
        output.hint(output.say("runs_none"))
        return
    columns = [output.say(f"column_{name}") for name in ("run", "status", "scores", "release", "changed")]
    rows = [
        [
            row["run"], output.say(f"status_{row['status']}"), _first(row["scores"]), row["release"] or "",
            layout.moment(row["changed"]),
        ]
        for row in found
    ]  # fmt: skip
    output.table(columns, rows)


def _first(scores: dict[str, float]) -> str:
    return next((f"{name} {_figure(value)}" for name, value in scores.items()), "")


def describe(run: RunFolder) -> dict[str, Any]:
    """Everything that is known of a run."""
    events = list(run.events.read())
    stages = [
        {"stage": e.stage, "seconds": round(e.seconds, 3), "cached": e.cached}
        for e in _outside_trials(events)
        if isinstance(e, StageFinished)
    ]
    failed = [e for e in events if isinstance(e, Failed)]
    is_failed = run.status() == "failed" and failed
    paths = {"recipe": run.recipe, "report": run.page, "model": run.model, "events": run.events.path}
    return {
        **summary(run),
        "path": str(run.path),
        "result": run.result(),
        "stages": stages,
        "training": list(_training(_outside_trials(events))),
        "trials": [asdict(e) for e in events if isinstance(e, TrialFinished)],
        "warnings": [{"code": e.code, "values": dict(e.values)} for e in events if isinstance(e, Warned)],
        "failed": {"code": failed[-1].code, "values": dict(failed[-1].values)} if is_failed else None,
        "paths": {name: str(path) for name, path in paths.items() if path.exists()},
    }


def _outside_trials(events: list[Event]) -> list[Event]:
    """Events without those of the trials that came to an end, of which there may be hundreds."""
    kept: list[Event] = []
    for event in events:
        if isinstance(event, TrialFinished):
            # One that was cut off began more than once.
            begun = (i for i, e in enumerate(kept) if isinstance(e, TrialStarted) and e.trial == event.trial)
            del kept[next(begun, len(kept)) :]
        else:
            kept.append(event)
    return kept


def _training(events: list[Event]) -> Iterator[dict[str, Any]]:
    """How far the training of each model came."""
    last: dict[str, Step] = {}
    current = ""
    for event in events:
        if isinstance(event, StageStarted):
            current = event.detail
        elif isinstance(event, Step):
            last[current] = event
    for model, step in last.items():
        yield {"model": model, "step": step.step, "steps": step.steps, "loss": step.loss}


def show_one(known: dict[str, Any], output: Output) -> None:
    """Status, scores, ledger, what happened, and where everything is."""
    output.line(f"{known['run']}: {output.say('status_' + known['status'])}")
    result = known["result"]
    if result:
        metrics = list(result["scores"])
        named = {result["model"]: result["scores"], **result["baselines"]}
        rows = [[name, *(_figure(scores.get(m)) for m in metrics)] for name, scores in named.items()]
        output.table(["", *metrics], rows)
        show_differences(result, output)
        show_diagnosis(result, output)
        show_search(result, output)
        show_weights(result, output)
        show_forgetting(result, output)
        show_ledger(result["ledger"], output)
        show_augmented(result, output)
        gate_view.show(result["gate"], output)
    elif known["trials"]:
        output.line(output.say("trials_made", count=len(known["trials"])))
    stages = [
        (output.say(f"stage_{s['stage']}"),
         output.say("stage_cached" if s["cached"] else "stage_done", seconds=f"{s['seconds']:.1f}"))
        for s in known["stages"]
    ]  # fmt: skip
    training = [(t["model"], f"{t['step']}/{t['steps']}  loss {t['loss']:.4f}") for t in known["training"]]
    release = [
        (output.say("column_release"), " ".join([made["release"], *(f"@{a}" for a in made["aliases"])]))
        for made in known["releases"]
    ]
    paths = [(output.say(f"path_{name}"), path) for name, path in known["paths"].items()]
    for line in layout.pairs([*stages, *training, *release, *paths]):
        output.line(line)
    for warning in known["warnings"]:
        output.line(f"  ! {text.explain(warning['code'], output.lang, warning['values'])['message']}")
    if failed := known["failed"]:
        output.line(f"  ✗ {text.explain(failed['code'], output.lang, failed['values'])['message']}")


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"
