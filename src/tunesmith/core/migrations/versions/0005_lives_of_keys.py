"""Until when a key is valid, and when it was used last."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the columns."""
    op.add_column("keys", sa.Column("expires", sa.Float))
    op.add_column("keys", sa.Column("used", sa.Float))
