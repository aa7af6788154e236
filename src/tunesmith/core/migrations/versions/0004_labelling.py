"""Labelling projects, their items, who holds them, and decisions."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "label_projects",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("task", sa.String(32), nullable=False),
        sa.Column("guideline", sa.Text, nullable=False),
        sa.Column("labels", sa.JSON, nullable=False),
        sa.Column("settings", sa.JSON, nullable=False),
        sa.Column("created", sa.Float, nullable=False),
    )
    op.create_table(
        "label_items",
        sa.Column("project", sa.String(64), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("content", sa.JSON, nullable=False),
        sa.Column("rank", sa.Float, nullable=False),
        sa.Column("wanted", sa.Integer, nullable=False),
        sa.Column("why", sa.String(16), nullable=False),
        sa.Column("gold", sa.JSON),
        sa.Column("suggested", sa.JSON, nullable=False),
        sa.Column("settled", sa.String(64)),
    )
    op.create_index("ix_label_items_rank", "label_items", ["project", "rank", "number"])
    op.create_table(
        "label_places",
        sa.Column("project", sa.String(64), primary_key=True),
        sa.Column("item", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("annotator", sa.String(64), primary_key=True),
        sa.Column("event", sa.String(64)),
        sa.Column("until", sa.Float, nullable=False),
    )
    op.create_table(
        "label_decisions",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("project", sa.String(64), nullable=False),
        sa.Column("event", sa.String(64), nullable=False),
        sa.Column("item", sa.Integer, nullable=False),
        sa.Column("annotator", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("answer", sa.JSON),
        sa.Column("suggested", sa.JSON),
        sa.Column("seconds", sa.Float, nullable=False),
        sa.Column("made", sa.Float, nullable=False),
        sa.Column("undoes", sa.String(64)),
    )
    op.create_index("ix_label_decisions_event", "label_decisions", ["project", "event"], unique=True)
