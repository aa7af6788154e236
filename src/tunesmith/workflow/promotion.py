"""Moving an alias to a release: through the gate that the release passed, or with a reason in writing."""

from __future__ import annotations

import getpass
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from tunesmith.core.errors import GateError, TunesmithError
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


class Wherever(Enum):
    """That an alias may be moved from wherever it is."""

    WHEREVER = "wherever"


ANYWHERE = Wherever.WHEREVER


def promote(
    store: Store,
    label: str,
    alias: str,
    reason: str = "",
    *,
    expected: int | Wherever | None = ANYWHERE,
    by: str | None = None,
) -> Moved:
    """Point an alias to a release that passed its gate, or for a reason; who did it is kept with the reason.

    `expected` is the version that whoever decides believes the alias to be at; `by` is who decides, the
    system's user if it is not told.

    Raises:
        NotFoundError: C07 when there is no such release.
        GateError: C27 when it passed no gate, C28 when another model is in production than it was compared
            with, W33 when it was compared with none though one is; none of them where a reason is given.
        TunesmithError: C08 when the alias is elsewhere, or someone else moved it meanwhile.
    """
    release = store.release(label)
    current = _where(store, release.name, alias, expected)
    gate = release.lineage.get("gate") or {}
    if not reason.strip() and current != release.version:
        _check(release, gate, alias, store.find(f"{release.name}@{alias}"))
    said = reason.strip() or f"gate passed, rules: {gate.get('rules', 0)}"
    moved = store.move(release.name, alias, release.version, expected=current, reason=signed(said, by))
    return Moved(release=moved, alias=alias, previous=current)


def rollback(
    store: Store,
    name: str,
    alias: str,
    reason: str = "",
    *,
    expected: int | Wherever | None = ANYWHERE,
    by: str | None = None,
) -> Moved:
    """Point an alias to where it was before its last move; settings as in `promote`.

    Raises:
        NotFoundError: C07 when nothing has that name.
        TunesmithError: C08 when the alias is elsewhere; C09 when it was never moved from another version.
    """
    store.release(name)
    current = _where(store, name, alias, expected)
    moved = store.rollback(name, alias, reason=signed(reason.strip() or "rollback", by))
    return Moved(release=moved, alias=alias, previous=current)


def _where(store: Store, name: str, alias: str, expected: int | Wherever | None) -> int | None:
    """The version an alias is at, which is the expected one."""
    current = store.alias_version(name, alias)
    if not isinstance(expected, Wherever) and current != expected:
        raise TunesmithError("C08", name=name, alias=alias, expected=expected or "-", found=current or "-")
    return current


def _check(release: Release, gate: dict[str, Any], alias: str, current: Release | None) -> None:
    if not gate.get("rules"):
        raise GateError("C27", name=release.label, alias=alias)
    if alias != PRODUCTION:
        return
    if not gate["compared"] and current is not None:
        raise GateError("W33", name=release.label, current=current.label)
    if gate["compared"] and gate["rival"] != (current.digest if current else None):
        raise GateError("C28", name=release.label, current=current.label if current else "-")


def signed(reason: str, by: str | None = None) -> str:
    """A reason with the name of who gives it: `by`, or the system's user."""
    try:
        return f"{reason} ({by or getpass.getuser()})"
    except (KeyError, OSError):  # a system user without a name
        return reason
