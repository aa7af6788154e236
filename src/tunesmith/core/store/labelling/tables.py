"""The tables of labelling, as the newest migration leaves them."""

from __future__ import annotations

import sqlalchemy as sa

from tunesmith.core.store.tables import metadata

projects = sa.Table(
    "label_projects",
    metadata,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("task", sa.String(32), nullable=False),
    sa.Column("guideline", sa.Text, nullable=False),
    sa.Column("labels", sa.JSON, nullable=False),
    sa.Column("settings", sa.JSON, nullable=False),
    sa.Column("created", sa.Float, nullable=False),
)
items = sa.Table(
    "label_items",
    metadata,
    sa.Column("project", sa.String(64), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("content", sa.JSON, nullable=False),
    sa.Column("rank", sa.Float, nullable=False),
    sa.Column("wanted", sa.Integer, nullable=False),
    sa.Column("why", sa.String(16), nullable=False),
    sa.Column("gold", sa.JSON(none_as_null=True)),
    sa.Column("suggested", sa.JSON, nullable=False),
    sa.Column("settled", sa.String(64)),
    sa.Index("ix_label_items_rank", "project", "rank", "number"),
)
# A place is taken for good by a decision (`event`), or until a moment by somebody who looks at the item.
places = sa.Table(
    "label_places",
    metadata,
    sa.Column("project", sa.String(64), primary_key=True),
    sa.Column("item", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("annotator", sa.String(64), primary_key=True),
    sa.Column("event", sa.String(64)),
    sa.Column("until", sa.Float, nullable=False),
)
decisions = sa.Table(
    "label_decisions",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("project", sa.String(64), nullable=False),
    sa.Column("event", sa.String(64), nullable=False),
    sa.Column("item", sa.Integer, nullable=False),
    sa.Column("annotator", sa.String(64), nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("answer", sa.JSON(none_as_null=True)),
    sa.Column("suggested", sa.JSON(none_as_null=True)),
    sa.Column("seconds", sa.Float, nullable=False),
    sa.Column("made", sa.Float, nullable=False),
    sa.Column("undoes", sa.String(64)),
    sa.Index("ix_label_decisions_event", "project", "event", unique=True),
)
