"""Sessions of the Studio: stored, like keys, as HMAC-SHA256, so that a copy of the store opens nothing."""

from __future__ import annotations

import secrets
import time

import sqlalchemy as sa

from tunesmith.core.store.keys import Keys
from tunesmith.core.store.records import Session
from tunesmith.core.store.tables import keys, sessions

LASTS_S = 30 * 24 * 3600


class Sessions(Keys):
    """Who is signed in."""

    def open_session(self, role: str, *, name: str, key: str | None = None) -> str:
        """A new session: its text, which is given to the browser and not stored. It lasts thirty days."""
        text, now = secrets.token_urlsafe(32), time.time()
        new = sessions.insert().values(
            mac=self._mac(text), role=role, name=name, key=key, created=now, expires=now + LASTS_S
        )
        with self.backend.writing() as connection:
            connection.execute(sessions.delete().where(sessions.c.expires < now))
            connection.execute(new)
        return text

    def find_session(self, text: str) -> Session | None:
        """The session with this text; none when its time or that of the key that opened it is over."""
        now = time.time()
        mine = (sessions.c.mac == self._mac(text)) & (sessions.c.expires > now)
        over = keys.c.revoked.is_not(None) | (keys.c.expires <= now)
        ended = sa.select(keys.c.id).where(keys.c.id == sessions.c.key, over)
        wanted = sa.select(sessions.c.role, sessions.c.name).where(mine, ~ended.exists())
        with self.backend.reading() as connection:
            row = connection.execute(wanted).mappings().first()
        return Session(**row) if row else None

    def close_session(self, text: str) -> None:
        """End a session; one that is not there has ended."""
        with self.backend.writing() as connection:
            connection.execute(sessions.delete().where(sessions.c.mac == self._mac(text)))
