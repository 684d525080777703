"""Contact sheets: the pictures of one or more answers with their scores, as a PNG or as one self-contained page."""

from cli.sheet.section import Section
from cli.sheet.write import write_sheet

__all__ = ["Section", "write_sheet"]
