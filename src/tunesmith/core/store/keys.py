"""API keys: stored as HMAC-SHA256 under a pepper that lies in a file only its owner can read."""

from __future__ import annotations

import hashlib
import hmac
import math
import re
import secrets
import time
from collections.abc import Iterable, Sequence

import sqlalchemy as sa

from tunesmith.core import durable
from tunesmith.core.errors import NotFoundError, TunesmithError
from tunesmith.core.store.opened import Opened
from tunesmith.core.store.records import Key
from tunesmith.core.store.tables import keys

_PREFIX = "tsk"
PEPPER = "pepper"
_PEPPER_BYTES = 32
_TEXT = re.compile(r"[^_]+_(?P<id>[0-9a-f]{8})_.{1,180}", re.S)


class Keys(Opened):
    """The keys that clients of a server identify themselves with."""

    def create_key(
        self,
        name: str,
        scopes: Sequence[str],
        *,
        expires: float | None = None,
        quota_requests: int | None = None,
        quota_tokens: int | None = None,
    ) -> tuple[str, str]:
        """A new key: its id, and its text, which is shown once and not stored.

        `expires` is a Unix time; quotas are for a day.
        """
        identity = secrets.token_hex(4)
        text = f"{_PREFIX}_{identity}_{secrets.token_urlsafe(32)}"
        mac = self._mac(text)
        with self.backend.writing() as connection:
            connection.execute(
                keys.insert().values(
                    id=identity,
                    name=name,
                    mac=mac,
                    scopes=list(scopes),
                    created=time.time(),
                    expires=expires,
                    quota_requests=quota_requests,
                    quota_tokens=quota_tokens,
                )
            )
        return identity, text

    def keys(self) -> list[Key]:
        """All keys, oldest first, revoked ones too."""
        columns = [column for column in keys.c if column.name != "mac"]
        with self.backend.reading() as connection:
            rows = connection.execute(sa.select(*columns).order_by(keys.c.created)).mappings()
            return [Key(**{**row, "scopes": tuple(row["scopes"])}) for row in rows]

    def find_key(self, text: str) -> Key | None:
        """The key with this text, if it exists, was not revoked and has not expired."""
        parts = _TEXT.fullmatch(text)
        if parts is None:
            return None
        with self.backend.reading() as connection:
            row = connection.execute(sa.select(keys).where(keys.c.id == parts["id"])).mappings().first()
        if not hmac.compare_digest(self._mac(text), row["mac"] if row else ""):
            return None
        if row is None or row["revoked"] is not None or (row["expires"] or math.inf) <= time.time():
            return None
        known = {name: value for name, value in row.items() if name not in ("mac", "scopes")}
        return Key(**known, scopes=tuple(row["scopes"]))

    def note_use(self, identities: Iterable[str]) -> None:
        """Keep that keys, by their ids, were used until now; ids of no key are left out."""
        with self.backend.writing() as connection:
            change = keys.update().where(keys.c.id.in_(list(identities)))
            connection.execute(change.values(used=time.time()))

    def revoke_key(self, identity: str) -> None:
        """Make a key worthless from now on.

        Raises:
            NotFoundError: C10 when there is no such key.
        """
        with self.backend.writing() as connection:
            change = keys.update().where(keys.c.id == identity).values(revoked=time.time())
            if connection.execute(change).rowcount == 0:
                known = ", ".join(connection.execute(sa.select(keys.c.id)).scalars()) or "-"
                raise NotFoundError("C10", id=identity, known=known)

    def _mac(self, text: str) -> str:
        return hmac.new(self._pepper(), text.encode(), hashlib.sha256).hexdigest()

    def _pepper(self) -> bytes:
        path = self.database.path.with_name(PEPPER)
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            durable.write_once(path, secrets.token_bytes(_PEPPER_BYTES))
        pepper = path.read_bytes()
        if len(pepper) != _PEPPER_BYTES:
            raise TunesmithError("C15", file=path, expected=_PEPPER_BYTES, found=len(pepper))
        return pepper
