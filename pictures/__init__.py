"""Decode picture files to upright sRGB pixels and read their metadata, for indexing and for image queries."""
