"""The tables of the store, as the newest migration leaves them."""

from __future__ import annotations

import sqlalchemy as sa

metadata = sa.MetaData()
releases = sa.Table(
    "releases",
    metadata,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Column("folder", sa.Text, nullable=False),
    sa.Column("task", sa.String(64), nullable=False),
    sa.Column("lineage", sa.JSON, nullable=False),
    sa.Column("created", sa.Float, nullable=False),
)
moves = sa.Table(
    "alias_moves",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("name", sa.String(64), nullable=False, index=True),
    sa.Column("alias", sa.String(64), nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("previous", sa.Integer),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("moved", sa.Float, nullable=False),
)
aliases = sa.Table(
    "aliases",
    metadata,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("alias", sa.String(64), primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
)
keys = sa.Table(
    "keys",
    metadata,
    sa.Column("id", sa.String(16), primary_key=True),
    sa.Column("name", sa.String(64), nullable=False),
    sa.Column("mac", sa.String(64), nullable=False),
    sa.Column("scopes", sa.JSON, nullable=False),
    sa.Column("created", sa.Float, nullable=False),
    sa.Column("revoked", sa.Float),
    sa.Column("expires", sa.Float),
    sa.Column("used", sa.Float),
    sa.Column("quota_requests", sa.BigInteger),
    sa.Column("quota_tokens", sa.BigInteger),
)
usage = sa.Table(
    "usage",
    metadata,
    sa.Column("key", sa.String(16), primary_key=True),
    sa.Column("day", sa.String(10), primary_key=True),
    sa.Column("requests", sa.BigInteger, nullable=False),
    sa.Column("prompt_tokens", sa.BigInteger, nullable=False),
    sa.Column("new_tokens", sa.BigInteger, nullable=False),
)
# `kind` says of what `name` is the name: a release (`router@3`) or a run.
tags = sa.Table(
    "tags",
    metadata,
    sa.Column("kind", sa.String(16), primary_key=True),
    sa.Column("name", sa.String(128), primary_key=True),
    sa.Column("tag", sa.String(64), primary_key=True),
)
notes = sa.Table(
    "notes",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("name", sa.String(128), nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("written", sa.Float, nullable=False),
    sa.Index("ix_notes_subject", "kind", "name"),
)
# Who is signed in to the Studio; `key` is the API key that opened the session, if one did.
sessions = sa.Table(
    "sessions",
    metadata,
    sa.Column("mac", sa.String(64), primary_key=True),
    sa.Column("role", sa.String(16), nullable=False),
    sa.Column("name", sa.String(64), nullable=False),
    sa.Column("key", sa.String(16)),
    sa.Column("created", sa.Float, nullable=False),
    sa.Column("expires", sa.Float, nullable=False),
)
# `revision` grows by one with every change of any job, so that a reader can ask for what is new.
jobs = sa.Table(
    "jobs",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("kind", sa.String(32), nullable=False),
    sa.Column("title", sa.String(256), nullable=False),
    sa.Column("arguments", sa.JSON, nullable=False),
    sa.Column("by", sa.String(64), nullable=False),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("created", sa.Float, nullable=False),
    sa.Column("started", sa.Float),
    sa.Column("ended", sa.Float),
    sa.Column("host", sa.String(256)),
    sa.Column("process", sa.Integer),
    sa.Column("beat", sa.Float),
    sa.Column("stopping", sa.Float),
    sa.Column("progress", sa.Float),
    sa.Column("subject", sa.String(256)),
    sa.Column("result", sa.JSON),
    sa.Column("error", sa.JSON),
    sa.Column("revision", sa.Integer, nullable=False, index=True),
)
