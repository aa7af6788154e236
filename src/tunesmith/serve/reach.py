"""Who can reach an address, and whether they need a key; known before anything of HTTP is loaded."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from tunesmith.core.errors import UsageError

if TYPE_CHECKING:
    from tunesmith.core.store import Store

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def is_loopback(host: str) -> bool:
    """Whether a host, as given to bind to, is reachable from this machine only."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def asks_for_keys(host: str, store: Store | None) -> bool:
    """Whether clients of a server at `host` need a key: when the store has any.

    Raises:
        UsageError: S19 for a host that other machines reach when there is none.
    """
    known = store.keys() if store is not None else []
    has_keys = any(key.revoked is None for key in known)
    if not has_keys and not is_loopback(host):
        raise UsageError("S19", host=host)
    return has_keys
