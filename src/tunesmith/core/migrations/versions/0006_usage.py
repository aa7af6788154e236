"""What keys asked for each day, and how much they may."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Create the table, and give keys their quotas."""
    op.create_table(
        "usage",
        sa.Column("key", sa.String(16), primary_key=True),
        sa.Column("day", sa.String(10), primary_key=True),
        sa.Column("requests", sa.BigInteger, nullable=False),
        sa.Column("prompt_tokens", sa.BigInteger, nullable=False),
        sa.Column("new_tokens", sa.BigInteger, nullable=False),
    )
    for name in ("quota_requests", "quota_tokens"):
        op.add_column("keys", sa.Column(name, sa.BigInteger))
