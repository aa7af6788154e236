"""From figures to ratios, and to a table for a reader."""

from __future__ import annotations

import statistics
from collections.abc import Mapping

from trainers import race
from trainers.works import OURS, Work

_NEAR = 0.02  # of our median loss on held-out rows


def complete(work: Work, figures: dict[str, dict], gigaflops: Mapping[str, float]) -> dict[str, dict]:
    """The figures with the share of the ceiling, and whether the first loss is as ours."""
    needed = race.operations(work)
    ours = figures[OURS]["first_loss"]
    return {
        name: {
            **found,
            "share_of_ceiling": round(found["tokens_per_second"] * needed / max(gigaflops.values()) / 1e9, 3),
            "first_loss_agrees": abs(found["first_loss"] - ours) <= work.tolerance,
            **_validated(found, figures[OURS]),
        }
        for name, found in figures.items()
    }


def _validated(found: dict, ours: dict) -> dict:
    """The median loss on held-out rows, and whether every run came near every run of ours.

    Runs that lie further apart make that harder, not easier.
    """
    if "validation_losses" not in found:
        return {}
    both = (found["validation_losses"], ours["validation_losses"])
    theirs, own = (statistics.median(losses) for losses in both)
    furthest = max(abs(one - other) for one in both[0] for other in both[1])
    return {"validation_loss": theirs, "validation_loss_agrees": furthest <= _NEAR * own}


def result(machine: dict, works: dict[str, dict[str, dict]], errors: dict | None = None) -> dict:
    """Everything that is printed: figures by work, those of the peers by peer and work, ratios."""
    names = {name for figures in works.values() for name in figures} - {OURS}
    return {
        "machine": machine,
        "ours": {work: figures[OURS] for work, figures in works.items()}
        | ({"gradient_errors": errors} if errors else {}),
        "peers": {
            name: {work: figures[name] for work, figures in works.items() if name in figures}
            for name in sorted(names)
        },
        "ratios": {key: found for work, figures in works.items() for key, found in ratios(work, figures)},
    }


def ratios(work: str, figures: dict[str, dict]) -> list[tuple[str, dict[str, float]]]:
    """Larger than 1 where we are ahead: in speed, in memory, in seconds to the first step."""
    ours, peers = figures[OURS], {name: found for name, found in figures.items() if name != OURS}
    if not peers:
        return []
    speed = {name: ours["tokens_per_second"] / found["tokens_per_second"] for name, found in peers.items()}
    made = [(work, speed)]
    for key, figure in (("memory", "peak_memory_bytes"), ("first_step", "first_step_seconds")):
        made.append((f"{work}_{key}", {name: found[figure] / ours[figure] for name, found in peers.items()}))
    return [(key, _with_best(found)) for key, found in made]


def _with_best(found: dict[str, float]) -> dict[str, float]:
    return {name: round(ratio, 2) for name, ratio in {**found, "best_peer": min(found.values())}.items()}


def table(work: str, figures: dict[str, dict]) -> str:
    """One line a contestant."""
    lines = [f"{work:24}{'tokens/s':>10}{'peak MB':>10}{'first step s':>14}{'ceiling':>10}{'first loss':>12}"]
    for name, found in figures.items():
        agrees = "" if found["first_loss_agrees"] else " differs"
        lines.append(
            f"{name:24}{found['tokens_per_second']:>10.0f}{found['peak_memory_bytes'] / 1e6:>10.0f}"
            f"{found['first_step_seconds']:>14.1f}{found['share_of_ceiling']:>10.1%}"
            f"{found['first_loss']:>12.4f}{agrees}"
        )
    return "\n".join(lines)
