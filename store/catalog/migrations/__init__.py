"""Alembic migrations of the catalogue: ordered, append-only, each a step from one schema to the next."""
