"""Counts of everything that are kept for blocks of contents, so that only changed blocks are counted again."""
