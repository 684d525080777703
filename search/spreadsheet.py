"""Texts for tables that people open in a spreadsheet."""

__all__ = ["no_formula"]

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a cell begins with that spreadsheets take for a formula, and run (OWASP, "CSV Injection")."""


def no_formula(text: str) -> str:
    """`text`, with an apostrophe before it where a spreadsheet would run it: a camera may call itself anything."""
    return f"'{text}" if text.startswith(FORMULA) else text
