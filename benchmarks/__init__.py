"""Measurements: where ingest time goes, and how long a search takes. Not part of the installed package."""
