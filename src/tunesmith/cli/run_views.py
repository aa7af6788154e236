"""Runs as tables and lists of facts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from tunesmith.cli import layout
from tunesmith.cli.output import Output
from tunesmith.cli.run_verb import show_differences, show_ledger, show_search, show_weights
from tunesmith.core import recipe_file, text
from tunesmith.core.errors import NotFoundError
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
        show_search(result, output)
        show_weights(result, output)
        show_ledger(result["ledger"], output)
        if result["gate"] is not None:
            output.line(output.say("gate_open" if result["gate"]["passed"] else "gate_shut"))
    elif known["trials"]:
        output.line(output.say("trials_made", count=len(known["trials"])))
    stages = [
        (output.say(f"stage_{s['stage']}"),
         output.say("stage_cached" if s["cached"] else "stage_done", seconds=f"{s['seconds']:.1f}"))
        for s in known["stages"]
    ]  # fmt: skip
    training = [(t["model"], f"{t['step']}/{t['steps']}  loss {t['loss']:.4f}") for t in known["training"]]
    release = [(output.say("column_release"), known["release"] or "")]
    paths = [(output.say(f"path_{name}"), path) for name, path in known["paths"].items()]
    for line in layout.pairs([*stages, *training, *release, *paths]):
        output.line(line)
    for warning in known["warnings"]:
        output.line(f"  ! {text.explain(warning['code'], output.lang, warning['values'])['message']}")
    if failed := known["failed"]:
        output.line(f"  ✗ {text.explain(failed['code'], output.lang, failed['values'])['message']}")


def compare(one: RunFolder, other: RunFolder) -> dict[str, Any]:
    """Scores side by side, and the recipe keys in which two runs differ."""
    scores = [(run.result() or {}).get("scores", {}) for run in (one, other)]
    recipes = [_flat(run) for run in (one, other)]
    keys = sorted({*recipes[0], *recipes[1]})
    return {
        "runs": [one.id, other.id],
        "scores": {m: [own.get(m) for own in scores] for m in dict.fromkeys([*scores[0], *scores[1]])},
        "recipe": {
            key: [recipe.get(key) for recipe in recipes]
            for key in keys
            if recipes[0].get(key) != recipes[1].get(key)
        },
    }


def _flat(run: RunFolder) -> dict[str, Any]:
    """The recipe of a run as `a.b.c: value`, without its lock."""
    if not run.recipe.exists():
        raise NotFoundError("C01", file=run.recipe)
    values = recipe_file.parse(run.recipe).values
    return dict(_leaves({key: value for key, value in values.items() if key != "lock"}, ""))


def _leaves(value: Any, at: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _leaves(inner, f"{at}.{key}" if at else str(key))
    else:
        yield at, value


def show_compared(compared: dict[str, Any], output: Output) -> None:
    """Two tables: scores with their difference, and what the recipes say differently."""
    rows = [
        [metric, _figure(a), _figure(b), "-" if a is None or b is None else f"{b - a:+.4f}"]
        for metric, (a, b) in compared["scores"].items()
    ]
    output.table(["", *compared["runs"], output.say("column_difference")], rows)
    if not compared["recipe"]:
        output.line(output.say("runs_same_recipe"))
        return
    differing = [[key, _shown(a), _shown(b)] for key, (a, b) in compared["recipe"].items()]
    output.table(["", *compared["runs"]], differing, title=output.say("runs_differ"))


def _shown(value: Any) -> str:
    if value is None:
        return "-"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"
