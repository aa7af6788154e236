"""Training as it goes, on stderr: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from tunesmith.cli import search_view
from tunesmith.core import text
from tunesmith.core.events import (
    Evaluated,
    Event,
    Resumed,
    Sampled,
    Skipped,
    StageFinished,
    StageStarted,
    Step,
    Stopped,
    TrialFinished,
    TrialStarted,
    Warned,
)

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

    from tunesmith.cli.output import Output

_LINE_SECONDS = 10.0
_ANSWER = 60


def follow(events: Iterable[Event], output: Output) -> list[Event]:
    """Show events as they come, and return those that are not steps."""
    reader = _Reader(output)
    kept: list[Event] = []
    try:
        for event in events:
            reader.show(event)
            if not isinstance(event, Step):
                kept.append(event)
    finally:
        reader.close()
    return kept


class _Reader:
    def __init__(self, output: Output) -> None:
        self.output = output
        self.bar: Bar | None = None
        self.task: TaskID | None = None
        self.shown = 0.0

    def show(self, event: Event) -> None:
        """Say what happened."""
        match event:
            case Step():
                self._step(event)
            case StageStarted():
                self.close()
                stage = self.output.say(f"stage_{event.stage}")
                self.output.hint(f"▸ {stage} {event.detail}".rstrip())
            case StageFinished():
                self.close()
                key = "stage_cached" if event.cached else "stage_done"
                self.output.hint("  " + self.output.say(key, seconds=f"{event.seconds:.1f}"))
            case TrialStarted() | TrialFinished():
                self.close()
                for line in search_view.progress(event, self.output):
                    self.output.hint(line)
            case Resumed() | Stopped():
                self.close()
                said = "resumed" if isinstance(event, Resumed) else "stopped"
                self.output.hint("  " + self.output.say(said, step=event.step))
            case _:
                self._tell(event)

    def _tell(self, event: Event) -> None:
        """Say what happened within a stage, beside its steps."""
        match event:
            case Evaluated(scores=scores) if scores:
                said = ", ".join(f"{name} {value:.4f}" for name, value in scores.items())
                self.output.hint("  " + self.output.say("validated", step=event.step, scores=said))
            case Sampled(samples=samples) if samples:
                # The other answers are in events.jsonl.
                prompt, answer = _short(samples[0].prompt), _short(samples[0].answer)
                self.output.hint("  " + self.output.say("sampled", prompt=prompt, answer=answer))
            case Skipped():
                reason = self.output.say(f"skipped_{event.reason}")
                said = self.output.say("skipped", step=event.step, reason=reason, rows=", ".join(event.rows))
                self.output.hint(f"  ! {said}")
            case Warned():
                warning = text.explain(event.code, self.output.lang, event.values)
                self.output.hint(f"  ! {warning['message']}")
            case _:
                pass

    def _step(self, event: Step) -> None:
        if self.output.quiet:
            return
        if sys.stderr.isatty():
            self._draw(event)
        elif time.monotonic() - self.shown > _LINE_SECONDS or event.step == event.steps:
            self.shown = time.monotonic()
            self.output.hint(
                f"  {event.step}/{event.steps}  loss {event.loss:.4f}  {_pace(event, self.output)}"
            )

    def _draw(self, event: Step) -> None:
        if self.bar is None:
            self.bar = _new_bar()
            self.task = self.bar.add_task("", total=event.steps, loss=event.loss, pace="")
        if self.task is not None:
            pace = _pace(event, self.output)
            self.bar.update(self.task, completed=event.step, loss=event.loss, pace=pace)

    def close(self) -> None:
        """Take the bar away."""
        if self.bar is not None:
            self.bar.stop()
            self.bar = None


def _short(said: str) -> str:
    """The beginning, on one line."""
    words = " ".join(said.split())
    return words if len(words) <= _ANSWER else words[: _ANSWER - 1] + "…"


def _pace(step: Step, output: Output) -> str:
    """Speed, memory and the time that is left."""
    minutes, seconds = divmod(round(step.seconds_left), 60)
    return output.say(
        "pace", rate=f"{step.tokens_per_second:,.0f}", memory=f"{step.memory / 1e6:,.0f}",
        left=f"{minutes}:{seconds:02}",
    )  # fmt: skip


def _new_bar() -> Bar:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns: list[Any] = [
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TextColumn("loss {task.fields[loss]:.4f}"),
        TextColumn("{task.fields[pace]}"),
    ]
    bar = Progress(*columns, console=Console(stderr=True))
    bar.start()
    return bar
