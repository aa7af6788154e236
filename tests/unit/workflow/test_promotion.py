"""An alias moves through a gate or for a reason, and hardly ever to a model that is no better."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tunesmith.core.errors import GateError
from tunesmith.core.recipe import Bound, Recipe
from tunesmith.core.store import Release, Store
from tunesmith.core.workspace import Workspace
from tunesmith.eval import gate, metrics, significance
from tunesmith.eval.gate import OPEN, Check, Verdict
from tunesmith.eval.outcome import LabelOutcome
from tunesmith.workflow import promotion
from tunesmith.workflow.feedback import learning

RULE = Check(metric="accuracy", rule="at_least", bound=0.5, value=0.6, passed=True)
BESIDE = Check(
    metric="accuracy", rule="better_than", bound=0.5, value=0.6, passed=True, reference="production"
)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store.sqlite")


def publish(store: Store, verdict: Verdict, rival: Release | None = None) -> Release:
    """The next version of `router`, which passed a gate beside `rival`."""
    lineage = {"run": "r", "gate": promotion.passed(verdict, rival.digest if rival else None)}
    digest = f"{len(store.releases()):064}"
    return store.publish("router", digest=digest, folder=Path("m"), task="classify", lineage=lineage)


def refused(store: Store, release: Release) -> str:
    with pytest.raises(GateError) as caught:
        promotion.promote(store, release.label, "production")
    assert caught.value.exit_code == 7
    return caught.value.problems[0].code


def test_without_a_gate_a_reason_is_needed_and_kept_with_who_gave_it(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(promotion.getpass, "getuser", lambda: "ana")
    release = publish(store, OPEN)
    assert refused(store, release) == "C27"
    moved = promotion.promote(store, release.label, "production", "the first")
    assert (moved.previous, moved.release.aliases) == (None, ("production",))
    assert promotion.signed("the first") == "the first (ana)"


def test_a_gate_counts_beside_the_model_in_production_now_and_no_other(store: Store) -> None:
    first = publish(store, Verdict(passed=True, checks=(RULE,)))
    promotion.promote(store, first.label, "production")
    second = publish(store, Verdict(passed=True, checks=(BESIDE,)), first)
    third = publish(store, Verdict(passed=True, checks=(BESIDE,)), first)
    assert promotion.promote(store, second.label, "production").previous == 1
    assert refused(store, third) == "C28"
    # Beside what is in production when nobody else was promoted: after a rollback it is.
    store.rollback("router", "production", reason="worse on refunds")
    assert promotion.promote(store, third.label, "production").release.version == 3
    assert promotion.promote(store, second.label, "staging").previous is None


def test_fixed_bounds_alone_replace_nothing_without_a_reason(store: Store) -> None:
    first = publish(store, Verdict(passed=True, checks=(RULE,)))
    assert promotion.promote(store, first.label, "production").previous is None
    second = publish(store, Verdict(passed=True, checks=(RULE,)))
    assert refused(store, second) == "W33"
    assert promotion.promote(store, second.label, "staging").previous is None
    assert promotion.promote(store, second.label, "production", "smaller").previous == 1


@pytest.mark.parametrize(
    ("rule", "is_held"), [({"at_least": 0.5}, False), ({"better_than": "production"}, True)]
)
def test_who_wants_to_promote_is_told_before_training_that_the_gate_compares_with_nothing(
    tmp_path: Path, rule: dict[str, Any], is_held: bool
) -> None:
    values = {
        "task": "classify",
        "model": "tfidf",
        "data": {"source": "rows.csv"},
        "publish": {"name": "router"},
    }
    recipe = Recipe.model_validate({**values, "eval": {"gate": {"accuracy": rule}}})
    workspace = Workspace(tmp_path)
    learning.require_comparison(recipe, workspace)  # nothing is in production yet
    store = Store(workspace.database)
    promotion.promote(store, publish(store, OPEN).label, "production", "the first")
    with nullcontext() if is_held else pytest.raises(GateError, match="W33"):
        learning.require_comparison(recipe, workspace)


def test_a_run_that_asks_again_beside_the_new_model_renews_what_is_known(store: Store) -> None:
    first = publish(store, Verdict(passed=True, checks=(RULE,)))
    promotion.promote(store, first.label, "production")
    lineage = {"run": "r", "gate": promotion.passed(Verdict(passed=True, checks=(BESIDE,)), "gone")}
    second = store.publish("router", digest="2" * 64, folder=Path("m"), task="classify", lineage=lineage)
    assert refused(store, second) == "C28"
    again = {"run": "r", "gate": promotion.passed(Verdict(passed=True, checks=(BESIDE,)), first.digest)}
    same = store.publish("router", digest="2" * 64, folder=Path("m"), task="classify", lineage=again)
    assert same.version == second.version
    assert promotion.promote(store, second.label, "production").release.version == 2


def outcome(right: Any) -> LabelOutcome:
    predicted = right.astype(int)
    return LabelOutcome(
        labels=("no", "yes"), texts=[""] * len(right), targets=np.ones(len(right), dtype=int),
        predicted=predicted, probabilities=np.eye(2)[predicted], rows=np.arange(len(right)),
    )  # fmt: skip


def share_promoted(store: Store, gain: float, trials: int = 200) -> float:
    """How often production moves to a model that is `gain` better on all rows, by what 400 of them show.

    The smallest difference that they show is 0.04; rows differ in how hard they are for both.
    """
    rng = np.random.default_rng(11)
    rival = publish(store, Verdict(passed=True, checks=(RULE,)))
    promotion.promote(store, rival.label, "production")
    promoted = 0
    for _ in range(trials):
        hard = 0.8 * rng.random(400)
        sides = [
            metrics.figures(["accuracy"], outcome(hard + 0.2 * rng.random(400) < 0.1 + 0.8 * (0.75 + more)))
            for more in (gain, 0)
        ]
        pairs = {"production": significance.paired(*sides)}
        rule = {"accuracy": Bound(better_than="production")}
        verdict = gate.judge(rule, sides[0].scores, {"production": sides[1].scores}, pairs)
        if verdict.passed:  # else a run publishes nothing
            kept = {"run": "r", "gate": promotion.passed(verdict, rival.digest)}
            digest = "ab"[promoted % 2] * 64
            rival = store.publish("router", digest=digest, folder=Path("m"), task="classify", lineage=kept)
            promoted += "production" in promotion.promote(store, rival.label, "production").release.aliases
    return promoted / trials


@pytest.mark.parametrize(("gain", "low", "high"), [(0.0, 0.0, 0.05), (0.08, 0.9, 1.0)])
def test_promotion_is_rarely_wrong_and_mostly_finds_what_is_better(
    store: Store, monkeypatch: pytest.MonkeyPatch, gain: float, low: float, high: float
) -> None:
    monkeypatch.setattr(significance, "DRAWS", 200)
    assert low <= share_promoted(store, gain) <= high
