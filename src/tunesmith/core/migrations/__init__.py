"""Database migrations, run by `core.store` when it opens a database."""
