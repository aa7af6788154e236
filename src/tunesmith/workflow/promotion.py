"""Moving an alias to a release: through the gate that the release passed, or with a reason in writing."""

from __future__ import annotations

import getpass
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tunesmith.core.errors import GateError
from tunesmith.core.store import Release, Store

if TYPE_CHECKING:
    from tunesmith.eval.gate import Verdict

PRODUCTION = "production"


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """Where an alias points now, and where it pointed before."""

    release: Release
    alias: str
    previous: int | None


def passed(verdict: Verdict, rival: str | None) -> dict[str, Any]:
    """What a release keeps of its gate: how many rules, and the digest of the production model they faced."""
    compared = any(check.reference == PRODUCTION for check in verdict.checks)
    return {"rules": len(verdict.checks), "compared": compared, "rival": rival}


def promote(store: Store, label: str, alias: str, reason: str = "") -> Moved:
    """Point an alias to a release that passed its gate, or for a reason; who did it is kept with the reason.

    Raises:
        NotFoundError: C07 when there is no such release.
        GateError: C27 when it passed no gate, C28 when another model is in production than it was compared
            with; neither where a reason is given.
        TunesmithError: C08 when someone else moved the alias meanwhile.
    """
    release = store.release(label)
    current = store.alias_version(release.name, alias)
    gate = release.lineage.get("gate") or {}
    if not reason.strip() and current != release.version:
        _check(release, gate, alias, store.find(f"{release.name}@{alias}"))
    said = reason.strip() or f"gate passed, rules: {gate.get('rules', 0)}"
    moved = store.move(release.name, alias, release.version, expected=current, reason=signed(said))
    return Moved(release=moved, alias=alias, previous=current)


def _check(release: Release, gate: dict[str, Any], alias: str, current: Release | None) -> None:
    if not gate.get("rules"):
        raise GateError("C27", name=release.label, alias=alias)
    rival = current.digest if current else None
    if alias == PRODUCTION and gate["compared"] and gate["rival"] != rival:
        raise GateError("C28", name=release.label, current=current.label if current else "-")


def signed(reason: str) -> str:
    """A reason with the name of who gives it."""
    try:
        return f"{reason} ({getpass.getuser()})"
    except (KeyError, OSError):  # a system user without a name
        return reason
