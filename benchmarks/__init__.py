"""Measurements of ingest, search and serving times. Not part of the installed package."""
