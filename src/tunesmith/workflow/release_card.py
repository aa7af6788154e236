"""README.md of a model folder: what the model is, in the form that hubs read, in the language of its run.

The head is YAML as hubs expect it, the body is Markdown. It says only what does not change from one time to
the next: the same run gives the same bytes. Users' words are escaped in both.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.core import text
from tunesmith.core.chosen import Component
from tunesmith.core.recipe import Made, Own
from tunesmith.models import borrowed, catalogue, facts
from tunesmith.models.card import read
from tunesmith.workflow import markdown
from tunesmith.workflow.markdown import plain, table
from tunesmith.workflow.plan import Candidate, Plan

if TYPE_CHECKING:
    from tunesmith.eval.report import Report
    from tunesmith.workflow.parts import Parts

_CALLS = {
    "classify": 'classify("…")',
    "chat": 'chat([{"role": "user", "content": "…"}])',
    "embed": 'embed("…")',
    "tag": 'tag("…")',
    "answer": 'answer(["…"], ["…"])',
    "score": 'score("…")',
    "mask": 'fill("… [MASK] …")',
}
_LANGUAGES_OF = 500
_COMMON = 0.05
_CLASSES_SHOWN = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """Everything a card is written from."""

    folder: Path
    plan: Plan
    kept: Candidate
    report: Report
    parts: Parts
    lang: str

    def say(self, key: str, /, **values: Any) -> str:
        return text.say(f"card.{key}", self.lang, **values)

    @property
    def name(self) -> str:
        """The name of the release, or of the recipe where nothing is published."""
        publish = self.plan.recipe.publish
        return publish.name if publish else self.plan.file.stem


def write(folder: Path, plan: Plan, kept: Candidate, report: Report, parts: Parts, lang: str) -> None:
    """Write README.md into a trained model's folder, before its manifest is made.

    Raises:
        ModelError: M04 or M06 when the folder holds no model.
    """
    told = _Told(folder=folder, plan=plan, kept=kept, report=report, parts=parts, lang=lang)
    markdown.write(folder, _head(told), _body(told))


def _head(told: _Told) -> dict[str, Any]:
    entry, task = _entry(told.kept), told.plan.recipe.task
    is_own = isinstance(told.kept.source, Own)
    library = "tunesmith" if is_own or read(told.folder).kind == "tfidf" else "transformers"
    return {
        "language": _languages(told),
        **_licence(told),
        "base_model": (entry.hub if entry else None) or (told.kept.name if "/" in told.kept.name else None),
        "pipeline_tag": markdown.pipeline(task),
        "library_name": library,
        "tags": ["tunesmith", task, *([_method(told)] if _method(told) else [])],
        "metrics": sorted(told.report.scores),
        "model-index": [{"name": told.name, "results": [_results(told)]}],
    }


def _results(told: _Told) -> dict[str, Any]:
    task = told.plan.recipe.task
    return {
        "task": {"type": markdown.pipeline(task)},
        "dataset": {"name": ", ".join(_files(told.plan)), "type": "private", "split": told.report.part},
        "metrics": [{"type": name, "value": round(v, 6)} for name, v in sorted(told.report.scores.items())],
    }


def _entry(kept: Candidate) -> catalogue.Entry | None:
    return catalogue.entries().get(kept.name.partition("#")[0])


def _licence(told: _Told) -> dict[str, str]:
    """The base's licence; what was made from nothing has the one its maker gives it."""
    source, entry = told.kept.source, _entry(told.kept)
    folder = None if isinstance(source, Made) else source.folder
    found = entry.licence if entry else facts.stated_licence(folder) if folder else None
    return markdown.licence(found)


def _languages(told: _Told) -> list[str]:
    """The languages of the rows learned from, the most frequent first."""
    from tunesmith.language.identify import common

    frame = told.parts.split("train").head(_LANGUAGES_OF)
    return common(told.plan.task.texts(frame), least=_COMMON)


def _files(plan: Plan) -> list[str]:
    return sorted({path.name for paths in plan.paths.values() for path in paths})


def _method(told: _Told) -> str | None:
    return None if read(told.folder).kind == "tfidf" else told.plan.recipe.train.method.name


def _body(told: _Told) -> Iterator[str]:
    yield f"# {plain(told.name)}\n"
    yield told.say(
        "is", task=told.plan.recipe.task, base=_base(told), languages=", ".join(_languages(told)) or "-"
    )
    parts = (_data, _training, _evaluation, _classes, _prompt, _use, _limits)
    for part in parts:
        lines = list(part(told))
        if lines:
            yield f"\n## {told.say(f'title{part.__name__}')}\n"
            yield from lines
    yield ""


def _base(told: _Told) -> str:
    source = told.kept.source
    if isinstance(source, Own):
        return told.say("base_own", code=plain(source.code.rpartition("/")[2]))
    if isinstance(source, Made):
        sizes = source.model_dump(exclude_none=True, exclude={"architecture"})
        if borrowed.is_borrowed(source):
            del sizes["vocab"]
            sizes["tokenizer"] = plain(Path(source.tokenizer).name)
        shown = ", ".join(f"{key} {value}" for key, value in sizes.items())
        return told.say("base_scratch", architecture=getattr(source, "architecture", "-"), sizes=shown)
    return told.say("base", name=plain(told.kept.name))


def _data(told: _Told) -> Iterator[str]:
    ledger = told.report.ledger
    rows = [(told.say("files"), ", ".join(_files(told.plan)))]
    rows += [(told.say(f"ledger_{key}"), str(ledger[key])) for key in ("read", "used", "truncated")]
    rows += [(told.say("ledger_duplicate"), str(ledger["duplicate"]))]
    rows += [(told.say("ledger_dropped", reason=k), str(v)) for k, v in sorted(ledger["dropped"].items())]
    rows += [(told.say("ledger_held_out", part=k), str(v)) for k, v in sorted(ledger["held_out"].items())]
    rows += [(told.say("cleaned"), ", ".join(cleaner.name for cleaner in told.plan.recipe.data.clean))]
    if answers_of := told.plan.taught_by.get("answers_of"):
        rows += [(told.say("answers_of"), plain(answers_of))]
    rows += [(told.say("data_key"), told.plan.data_key)]
    yield from table((told.say("what"), told.say("value")), rows)


def _training(told: _Told) -> Iterator[str]:
    train = told.plan.recipe.train
    if _method(told) is None:
        yield told.say("linear")
        return
    chosen = ("method", "loss", "optimizer", "schedule")
    rows = [(name, _settings(getattr(train, name))) for name in chosen]
    rows += [(name, str(getattr(train, name))) for name in ("epochs", "batch_size", "precision", "clip")]
    rows += [("seed", str(told.plan.recipe.seed))]
    rows += [("context", str(read(told.folder).context))]
    rows += [(told.say("steps"), str(told.report.curve[-1].step))] if told.report.curve else []
    rows += [(name, value) for name, value in sorted(told.plan.versions.items())]
    yield from table((told.say("what"), told.say("value")), rows)


def _settings(component: Component) -> str:
    given = ", ".join(f"{key} {value}" for key, value in component.settings.items())
    return f"{component.name} ({given})" if given else component.name


def _evaluation(told: _Told) -> Iterator[str]:
    report = told.report
    yield told.say("measured", part=report.part, rows=report.rows) + "\n"
    names = [*report.scores]
    # What is in production changes with time; a model that is trained again must stay the same release.
    others = [one for one in report.baselines.items() if one[0] != "production"]
    columns = (told.say("metric"), told.say("this"), *(name for name, _ in others))
    rows = [
        (name, f"{report.scores[name]:.4f}", *(_figure(scores.get(name)) for _, scores in others))
        for name in names
    ]
    yield from table(columns, rows)


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def _classes(told: _Told) -> Iterator[str]:
    shown = told.report.per_class[:_CLASSES_SHOWN]
    if shown:
        columns = (told.say("label"), "precision", "recall", "F1", told.say("rows"))
        rows = [
            (c.label, f"{c.precision:.3f}", f"{c.recall:.3f}", f"{c.f1:.3f}", str(c.support)) for c in shown
        ]
        yield from table(columns, rows)
    if len(told.report.per_class) > _CLASSES_SHOWN:
        yield told.say("more_labels", count=len(told.report.per_class) - _CLASSES_SHOWN)


def _prompt(told: _Told) -> Iterator[str]:
    found = facts.contract(told.folder, read(told.folder))
    if found is None:
        return
    yield told.say("contract", digest=found.digest) + "\n"
    stops = ", ".join(_code(stop) for stop in found.stop)
    yield f"* {told.say('stop')}: {stops or '-'}"
    if found.system:
        yield f"* {told.say('system')}: {plain(found.system)}"


def _code(words: str) -> str:
    """Inline code with a fence longer than any in it."""
    words = " ".join(words.split()) or " "
    fence = "`" * (max((len(run) for run in re.findall("`+", words)), default=0) + 1)
    return f"{fence} {words} {fence}" if len(fence) > 1 else f"`{words}`"


def _use(told: _Told) -> Iterator[str]:
    name = told.name
    publish = told.plan.recipe.publish
    label = f"{name}@{publish.alias}" if publish else "./model"
    call = _CALLS.get(told.plan.recipe.task)
    yield f'```console\n$ tunesmith ask {label} "…"\n$ tunesmith serve {label}\n```\n'
    if call:
        yield f'```python\nimport tunesmith\n\nmodel = tunesmith.load("{label}")\nprint(model.{call})\n```'


def _limits(told: _Told) -> Iterator[str]:
    report, own = told.report, read(told.folder)
    yield f"* {told.say('limit_rows', rows=report.rows, used=report.ledger['used'])}"
    yield f"* {told.say('limit_languages', languages=', '.join(_languages(told)) or '-')}"
    if own.kind != "tfidf":
        yield f"* {told.say('limit_context', context=own.context)}"
    if report.labels:
        yield f"* {told.say('limit_labels', count=len(report.labels))}"
    if own.kind == "language":
        yield f"* {told.say('limit_invents')}"
    yield f"* {told.say('limit_bias')}"
