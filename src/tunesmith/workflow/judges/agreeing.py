"""How far a judge agrees with people, measured on what they rated and remembered for all reports to come."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from tunesmith.core import durable
from tunesmith.core.errors import DataError, ModelError
from tunesmith.core.workspace import Workspace
from tunesmith.eval import agreement
from tunesmith.eval.judges import ratings
from tunesmith.eval.judges.judge import Judge
from tunesmith.eval.judges.ratings import PairRating, Rating
from tunesmith.eval.report import Agreement, Provenance, Report
from tunesmith.eval.sums import hits, mean
from tunesmith.workflow.judges.sitting import KAPPA, TASK, Told, Wishes, figures, sit

_FEWEST = 10


def agree(file: Path, workspace: Workspace, wishes: Wishes, told: Told = lambda done, of: None) -> Report:
    """Cohen's kappa of the judge and the people whose ratings are in a file.

    Raises:
        NotFoundError: C01 when the file does not exist; M01 when there is no such judge.
        DataError: C51 when it cannot be read; C53 when it has too few ratings, or scores beyond the scale.
        ModelError: C52 when the judge could not be read once.
    """
    began = time.monotonic()
    sitting = sit(wishes, workspace)
    rated = ratings.read(file)
    _check(file, rated, sitting.judge.rubric.scale)
    said: list[object] = []
    for rating in rated:
        said.append(_asked(sitting.judge, rating))
        told(len(said), len(rated))
    both = [(_of(rating), own) for rating, own in zip(rated, said, strict=True) if own is not None]
    if not both:
        raise ModelError("C52", name=wishes.judge, rows=len(rated))
    people, own = zip(*both, strict=True)
    kind = rated[0].kind
    kinds = agreement.CHOICES if kind == "pair" else range(1, sitting.judge.rubric.scale + 1)
    scores, intervals = figures(
        {
            KAPPA: agreement.kappa(people, own, kinds, ordered=kind == "score"),
            "agreement": hits([one == other for one, other in both]),
            "unanswered": mean([each is None for each in said]),
        }
    )
    where = intervals[KAPPA]
    sitting.remember(kind, Agreement(kappa=scores[KAPPA], low=where.low, high=where.high, ratings=len(both)))
    return Report(
        task=TASK,
        model=wishes.judge,
        part=file.name,
        rows=len(rated),
        scores=scores,
        intervals=intervals,
        directions={name: "lower" if name == "unanswered" else "higher" for name in scores},
        provenance=Provenance(run="", data=durable.sha256(file), model=sitting.judge.digest),
        judge=sitting.judged(kind),
        gate=sitting.gate(kind, wishes.min_kappa),
        seconds=time.monotonic() - began,
    )


def _check(file: Path, rated: Sequence[Rating], scale: int) -> None:
    highest = max((each.score for each in rated if not isinstance(each, PairRating)), default=0)
    if len(rated) < _FEWEST or highest > scale:
        raise DataError("C53", file=file, ratings=len(rated), least=_FEWEST, highest=highest, scale=scale)


def _asked(judge: Judge, rating: Rating) -> object:
    """What the judge says of what somebody rated."""
    if isinstance(rating, PairRating):
        return judge.compare(rating.prompt, rating.a, rating.b).choice
    return judge.score(rating.prompt, rating.answer)


def _of(rating: Rating) -> object:
    return rating.choice if isinstance(rating, PairRating) else rating.score
