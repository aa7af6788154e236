"""How good the labels of a project are: agreement, what people disagree on, gold items, each annotator."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import median

from tunesmith.core.store import Store
from tunesmith.core.store.labelling import Decision, Item, Project
from tunesmith.data.annotation.answers import same
from tunesmith.data.annotation.kinds import RATING
from tunesmith.data.annotation.outcome import Outcome, outcomes
from tunesmith.eval import agreement


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """How far two annotators agree on the items that both labelled: share, and Cohen's kappa."""

    one: str
    other: str
    items: int
    agreed: float
    kappa: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotator:
    """One annotator's work: `seconds` is the median of a decision.

    `gold` of `gold_seen` items with a known answer are right. `with_others` is the share of items, labelled
    by others too, on which all in all the same was decided, `took` that of suggestions that were taken; None
    where there are none.
    """

    name: str
    labelled: int
    skipped: int
    seconds: float
    gold: int
    gold_seen: int
    with_others: float | None
    took: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """The figures of a project. `disputed`: items on which people disagree and which nobody settled."""

    alpha: float | None
    fleiss: float | None
    overlapping: int
    pairs: tuple[Pair, ...]
    annotators: tuple[Annotator, ...]
    disputed: tuple[int, ...]


def quality(store: Store, name: str) -> Quality:
    """The figures of what stands now.

    Raises:
        NotFoundError: L01 when there is no such project.
    """
    project = store.project(name)
    found = outcomes(project.task, store.standing_decisions(name))
    gold = {item.number: item for item in store.items(name) if item.gold is not None}
    several = [one for one in found if len(_labels(one)) >= 2]
    rows = [[_said(project, decision) for decision in _labels(one)] for one in several]
    return Quality(
        alpha=_rounded(agreement.alpha(rows, "ordinal" if project.task == RATING else "nominal")),
        fleiss=_rounded(agreement.fleiss(rows)),
        overlapping=len(several),
        pairs=tuple(_pairs(project, several)),
        annotators=tuple(_annotators(project, found, gold)),
        disputed=tuple(one.item for one in found if is_disputed(project, one)),
    )


def is_disputed(project: Project, outcome: Outcome) -> bool:
    """Whether people do not say the same, and nobody settled it."""
    is_settled = any(decision.kind == "settle" for decision in outcome.decisions)
    return not is_settled and len({_said(project, decision) for decision in _labels(outcome)}) > 1


def _labels(outcome: Outcome) -> list[Decision]:
    return [decision for decision in outcome.decisions if decision.kind == "label"]


def _said(project: Project, decision: Decision) -> Hashable:
    answer = decision.answer or {}
    return int(answer["rating"]) if project.task == RATING else same(project.task, answer)


def _pairs(project: Project, several: Sequence[Outcome]) -> list[Pair]:
    by_item = [{d.annotator: _said(project, d) for d in _labels(one)} for one in several]
    names = sorted({name for said in by_item for name in said})
    found = []
    for one, other in combinations(names, 2):
        both = [(said[one], said[other]) for said in by_item if one in said and other in said]
        if both:
            mine, theirs = zip(*both, strict=True)
            # Weights count the steps between two ratings, so those that nobody gave are there too.
            scale = range(1, project.scale + 1) if project.task == RATING else ()
            kinds: Sequence[Hashable] = scale or sorted({*mine, *theirs}, key=str)
            sums = agreement.kappa(mine, theirs, kinds, ordered=project.task == RATING)
            agreed = sum(a == b for a, b in both) / len(both)
            kappa = _rounded(float(sums.value))
            found.append(Pair(one=one, other=other, items=len(both), agreed=round(agreed, 4), kappa=kappa))
    return found


def _annotators(project: Project, found: Sequence[Outcome], gold: dict[int, Item]) -> list[Annotator]:
    by_name: dict[str, list[tuple[Outcome, Decision]]] = {}
    for one in found:
        for decision in one.decisions:
            if decision.kind != "settle":
                by_name.setdefault(decision.annotator, []).append((one, decision))
    return [_annotator(project, name, made, gold) for name, made in sorted(by_name.items())]


def _annotator(
    project: Project, name: str, made: Sequence[tuple[Outcome, Decision]], gold: dict[int, Item]
) -> Annotator:
    labelled = [(one, decision) for one, decision in made if decision.kind == "label"]
    seen = [decision for _, decision in labelled if decision.item in gold]
    shared = [(one, decision) for one, decision in labelled if len(_labels(one)) > 1]
    agreed = [
        one.answer is not None and same(project.task, one.answer) == same(project.task, d.answer or {})
        for one, d in shared
    ]
    shown = [d for _, d in labelled if d.suggested is not None]
    took = [same(project.task, d.suggested or {}) == same(project.task, d.answer or {}) for d in shown]
    right = [same(project.task, gold[d.item].gold or {}) == same(project.task, d.answer or {}) for d in seen]
    return Annotator(
        name=name, labelled=len(labelled), skipped=len(made) - len(labelled),
        seconds=round(median(decision.seconds for _, decision in made), 2), gold=sum(right),
        gold_seen=len(seen), with_others=_share(agreed), took=_share(took),
    )  # fmt: skip


def _share(found: Sequence[bool]) -> float | None:
    return round(sum(found) / len(found), 4) if found else None


def _rounded(figure: float | None) -> float | None:
    return None if figure is None else round(figure, 4)
