"""`sightline ocr`, and `sightline index --ocr`: reading the text in pictures."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from cli.output import print_json, print_text
from cli.progress import ProgressBar
from cli.suggestions import command
from encoders.text_recognizer import DEFAULT_RECOGNIZER, load_recognizer
from indexer.texts import TextSettings, TextSummary, read_texts
from store import Library

__all__ = ["print_text_summary", "read_library", "read_pictures", "text_record"]


def read_library(library: Path, recognizer: str | None, *, again: bool, as_json: bool) -> None:
    """Read the pictures of a library, and print a summary."""
    with Library.open(library) as opened:
        summary = read_pictures(opened, recognizer, again=again)
    if as_json:
        print_json(text_record(summary))
    else:
        print_text_summary(summary)


def read_pictures(library: Library, recognizer: str | None = None, *, again: bool = False) -> TextSummary:
    """Read the pictures that have not been read yet, with a progress bar."""
    loaded = load_recognizer(recognizer or DEFAULT_RECOGNIZER)
    with ProgressBar("Reading text") as progress:
        return read_texts(library, loaded, TextSettings(again=again), progress)


def text_record(summary: TextSummary) -> dict[str, Any]:
    """Return a summary as a JSON object."""
    return asdict(summary)


def print_text_summary(summary: TextSummary) -> None:
    """Print a summary for people."""
    print_text(
        f"{summary.read:,} pictures read in {summary.seconds:.1f} s: {summary.with_text:,} with text "
        f"({summary.lines:,} lines)"
    )
    if summary.failed:
        print_text(f"  {summary.failed:,} could not be read; {command('status --failures')} lists the reasons")
    if summary.unavailable:
        print_text(f"  {summary.unavailable:,} files are gone or have changed; index their folders, and run this again")
