"""`sightline ocr`."""

from pathlib import Path

import click

from cli.options import json_option, library_option

__all__ = ["ocr"]


@click.command(
    epilog="""\b
Examples:
  sightline ocr                                      read all pictures that have not been read yet
  sightline search text:exit                         pictures with this text
  sightline search 'a red sign text:"platform 9"'    among them, those most like these words

Reading takes a few seconds per picture, and needs the extra: pip install 'sightline[ocr]'. Nothing is sent
anywhere. It can be stopped at any time: run it again to continue. docs/text.md says which languages are read, and how
well.
"""
)
@library_option
@click.option("--recognizer", metavar="NAME", help="Text recogniser to use.  [default: rapidocr]")
@click.option("--again", is_flag=True, help="Also try the pictures that this recogniser could not read before.")
@json_option
def ocr(library: Path, recognizer: str | None, again: bool, as_json: bool) -> None:
    """Read the text in the pictures of the library, so that it can be searched."""
    from cli.text_reading import read_library

    read_library(library, recognizer, again=again, as_json=as_json)
