"""How Alembic reaches the database: over the connection that `core.store` hands in."""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
context.run_migrations()
