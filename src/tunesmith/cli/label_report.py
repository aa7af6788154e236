"""How good the labels of a project are, and whether more are worth it, in the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tunesmith.cli.output import Output

if TYPE_CHECKING:
    from tunesmith.data.annotation.stopping import Stopping
    from tunesmith.workflow.labelling.quality import Annotator, Quality

_COLUMNS = ("name", "labelled", "skipped", "seconds", "gold", "with_others", "took")


def show(found: Quality, stopping: Stopping, output: Output) -> None:
    """Annotators, agreement, and the advice."""
    if found.annotators:
        names = [output.say(f"column_annotator_{name}") for name in _COLUMNS]
        output.table(names, [_row(one) for one in found.annotators])
    if found.overlapping:
        output.line(
            output.say(
                "label_agreement", items=found.overlapping, alpha=_figure(found.alpha),
                disputed=len(found.disputed),
            )
        )  # fmt: skip
    if stopping.advice == "no_learner":
        output.line(output.say("label_no_learner"))
    elif stopping.advice != "too_few":
        labels, score = stopping.curve[-1]
        gain = _figure(stopping.expected_gain)
        held_out = stopping.held_out
        words = output.say(
            f"label_{stopping.advice}", labels=labels, score=_figure(score), gain=gain, held_out=held_out
        )
        output.line(words)


def _row(one: Annotator) -> list[str]:
    gold = f"{one.gold}/{one.gold_seen}" if one.gold_seen else "-"
    counts = [f"{one.labelled:,}", f"{one.skipped:,}", f"{one.seconds:.1f}", gold]
    return [one.name, *counts, _percent(one.with_others), _percent(one.took)]


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.0%}"


def _figure(figure: float | None) -> str:
    return "-" if figure is None else f"{figure:.3f}"
