"""Alembic's folder: `env.py` runs `versions/v*.py`, each in one transaction."""
