"""tunesmith run RECIPE: everything the recipe names, stage by stage."""

from __future__ import annotations

import argparse
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tunesmith.cli import gate_view, layout
from tunesmith.cli.output import Output
from tunesmith.core import text
from tunesmith.core.errors import GateError, StoppedError
from tunesmith.core.events import Stopped


def arguments(parser: argparse.ArgumentParser, lang: str) -> None:
    """The recipe, and keys to override."""
    parser.add_argument("recipe", type=Path, help=text.say("cli.argument_recipe", lang))
    parser.add_argument(
        "--set", action="append", default=[], metavar="a.b=c", dest="overrides",
        help=text.say("cli.option_set", lang),
    )  # fmt: skip
    parser.add_argument("--ray-workers", type=int, metavar="N", help=text.say("cli.option_ray_workers", lang))


def run(given: argparse.Namespace, output: Output) -> int:
    """Carry out the recipe and show what came of it."""
    from tunesmith.workflow import plan as planning

    if given.ray_workers:
        return _on_ray(given, output)
    return carry_out(lambda: planning.make(given.recipe, output.workspace, given.overrides), output)


def _on_ray(given: argparse.Namespace, output: Output) -> int:
    from tunesmith.workflow import on_ray

    result = on_ray.run(given.recipe, output.workspace, given.overrides, workers=given.ray_workers)
    output.data(result)
    show_result(result, output, cached=False)
    return 0


def carry_out(make: Callable[[], Any], output: Output, *, beside: Mapping[str, Any] | None = None) -> int:
    """Run a plan to its end, showing progress; stopped by SIGINT or SIGTERM with a checkpoint.

    Of several processes only the first shows anything. What stands `beside` the result is printed with it as
    JSON.
    """
    from tunesmith.core.memory import keep_freed_memory
    from tunesmith.train.parallel.joining import joined
    from tunesmith.workflow import together

    keep_freed_memory()
    with joined() as group:
        if group.rank == 0:
            with together.leading(group):
                return _lead(make(), group, output, beside or {})
        with stop_signals() as stop:
            together.assist(group, make, stop)
    return 0


def _lead(plan: Any, group: Any, output: Output, beside: Mapping[str, Any]) -> int:
    from tunesmith.cli.progress import follow
    from tunesmith.workflow import run as running

    cached = running.is_complete(plan)
    with stop_signals() as stop:
        happened = follow(running.events(plan, stop=stop, lang=output.lang, group=group), output)
    for event in happened:
        if isinstance(event, Stopped):
            raise StoppedError("C12", run=plan.run.id, step=event.step)
    result = plan.run.result()
    if result is not None:
        output.data({**result, **beside})
        show_result(result, output, cached=cached)
    try:
        running.finished(plan)
    except GateError:
        if output.as_json:
            return GateError.exit_code
        raise
    return 0


@contextmanager
def stop_signals() -> Iterator[Callable[[], bool]]:
    """A question that turns true when SIGINT or SIGTERM arrives; a second signal interrupts at once."""
    asked: list[int] = []

    def note(number: int, _frame: object) -> None:
        if asked:
            raise KeyboardInterrupt
        asked.append(number)

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(asked)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def show_result(result: dict[str, Any], output: Output, *, cached: bool) -> None:
    """Scores beside the baselines, the ledger, the gate and where everything is."""
    metrics = list(result["scores"])
    named = {result["model"]: result["scores"], **result["baselines"]}
    rows = [[name, *(_figure(found.get(m)) for m in metrics)] for name, found in named.items()]
    output.table(["", *metrics], rows)
    show_differences(result, output)
    show_diagnosis(result, output)
    show_search(result, output)
    show_weights(result, output)
    show_forgetting(result, output)
    show_ledger(result["ledger"], output)
    show_augmented(result, output)
    gate_view.show(result["gate"], output)
    if result["release"]:
        output.line(output.say("published", release=result["release"]))
    output.line(output.say("run_cached" if cached else "run_done", path=result["path"]))


def show_differences(result: dict[str, Any], output: Output) -> None:
    """What the rows say of the first metric: where it is, and whether the model is better than each other."""
    metric = next(iter(result["scores"]), "")
    if where := result["intervals"].get(metric):
        said = {name: _figure(value) for name, value in where.items()}
        output.line(output.say("interval", metric=metric, **said))
    for each in result["differences"]:
        if each["metric"] == metric:
            shown = {name: f"{each[name]:+.4f}" for name in ("value", "low", "high")}
            verdict = "difference_shown" if each["p"] < 0.05 else "difference_chance"
            detectable = _figure(each["detectable"])
            output.line(output.say(verdict, beside=each["beside"], detectable=detectable, **shown))


def show_diagnosis(result: dict[str, Any], output: Output) -> None:
    """What is told beyond scores; results of earlier versions do not have it."""
    if found := result.get("diagnosis"):
        from tunesmith.cli import diagnosis_view

        diagnosis_view.show(found, output)


def show_search(result: dict[str, Any], output: Output) -> None:
    """The trials of a search, the best of them where they are many."""
    if search := result.get("search"):
        from tunesmith.cli import search_view

        search_view.show(search, output)


def show_weights(result: dict[str, Any], output: Output) -> None:
    """After which step the weights were kept, where the best were asked for."""
    weights = result.get("weights")
    if weights and weights["keep"] == "best":
        output.line(output.say("weights_best", **weights))


def show_forgetting(result: dict[str, Any], output: Output) -> None:
    """How much of what the model knew before is lost, where it was asked."""
    if lost := result.get("forgetting"):
        said = output.say("forgotten", **{**lost, "share": f"{lost['share']:.0%}"})
        output.line(said)


def show_augmented(result: dict[str, Any], output: Output) -> None:
    """The rows that augmenters made, and what they brought."""
    for name, counts in (result.get("augmented") or {}).items():
        said = ", ".join(f"{output.say(f'augmented_{key}')} {n:,}" for key, n in counts.items())
        output.line(output.say("augmented", name=name, counts=said))
    if found := result.get("ablation"):
        shown = {name: f"{found[name]:+.4f}" for name in ("difference", "low", "high")}
        with_, without = (
            sum(seed[key] for seed in found["seeds"]) / len(found["seeds"]) for key in ("augmented", "plain")
        )
        output.line(
            output.say(
                f"ablation_{found['verdict']}", metric=found["metric"], seeds=len(found["seeds"]),
                augmented=_figure(with_), plain=_figure(without), **shown,
            )
        )  # fmt: skip


def show_ledger(ledger: dict[str, Any], output: Output) -> None:
    """What became of every row, in one line."""
    parts = [f"{output.say(name)} {ledger[name]:,}" for name in ("read", "used", "truncated", "duplicate")]
    parts += [f"{output.say('dropped')} {reason} {n:,}" for reason, n in ledger["dropped"].items()]
    parts += [f"{output.say('held_out')} {split} {n:,}" for split, n in ledger["held_out"].items()]
    for line in layout.wrap(output.say("rows") + " · ".join(parts), 80):
        output.line(line)


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"
