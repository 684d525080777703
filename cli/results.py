"""Hits on standard output, in the form that was asked for."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Self

import click

from cli.output import print_json, print_paths, print_text, shown
from search.hits import Hit, Listed
from store.queries import ContentRecord

__all__ = ["Form", "answer"]

FOUND, NOTHING_FOUND = 0, 1


@dataclass(frozen=True)
class Form:
    """How hits should be shown; the options of `result_options` and `json_option`."""

    as_json: bool = False
    paths: bool = False
    print0: bool = False
    sheet: Path | None = None
    preview: bool = False
    csv: Path | None = None
    export: Path | None = None
    copy: bool = False
    page: str | None = None
    """Where the pages begin, if there are to be pages."""

    @classmethod
    def take(cls, options: dict[str, Any]) -> Self:
        """Takes what it knows out of a command's options."""
        return cls(**{field.name: options.pop(field.name) for field in fields(cls) if field.name in options})

    @property
    def options(self) -> dict[str, bool]:
        """Every option, as it is typed, and whether it was said."""
        return {_OPTIONS.get(field.name, f"--{field.name}"): bool(getattr(self, field.name)) for field in fields(self)}


_OPTIONS = {"as_json": "--json", "print0": "-0"}


def answer(title: str, hits: Sequence[Listed], form: Form, following: str | None = None) -> int:
    """Prints the answer to one query, and the cursor of the page `following`; returns the exit code."""
    if form.copy and form.export is None:
        raise click.UsageError("--copy goes with --export DIR.")
    if form.as_json and (form.paths or form.print0):
        raise click.UsageError("--json names the paths, too: leave out --paths and -0.")
    if form.csv == Path("-"):
        raise click.UsageError("--csv takes the name of a new file; ./- is one of that name.")
    if form.sheet is not None:
        from cli.sheet import Section, write_sheet

        write_sheet(form.sheet, [Section(title, hits)])
    if form.csv is not None or form.export is not None:
        from cli.hit_exports import write_csv, write_folder

        if form.csv is not None:
            write_csv(form.csv, hits)
        if form.export is not None:
            write_folder(form.export, hits, copy=form.copy)
    if form.as_json:
        for hit in hits:
            print_json(as_record(hit))
    elif form.print0:
        print_paths([hit.name for hit in hits], end=b"\0")
    elif form.paths:
        print_paths([hit.name for hit in hits])
    else:
        _print_table(hits, preview=form.preview)
    if form.page is not None:
        _say_next(following, form)
    return FOUND if hits else NOTHING_FOUND


def _say_next(cursor: str | None, form: Form) -> None:
    """How to see the next page: in JSON as a last line, otherwise to standard error."""
    if form.as_json:
        print_json({"next": cursor})
    elif cursor is not None:
        click.echo(f"sightline: the next page: --page {cursor}", err=True)


def _print_table(hits: Sequence[Listed], *, preview: bool) -> None:
    if preview:
        from cli.preview import can_preview, show_picture

        if not can_preview():
            preview = False
            click.echo("sightline: --preview needs a terminal; --sheet FILE.html shows the pictures too", err=True)
    if not hits and sys.stdout.isatty():
        click.echo("Nothing found.", err=True)
    for hit in hits:
        print_text(as_line(hit))
        if preview:
            show_picture(hit.path)


def as_record(hit: Listed) -> dict[str, object]:
    """A hit as JSON says it; a document of an imported space has `document` in place of everything of a file.

    Pictures that no question ranked have the same keys, and nothing for a score.
    """
    score, relevance = (hit.score, hit.relevance) if isinstance(hit, Hit) else (None, None)
    record = hit.record
    judged: dict[str, object] = {"score": score, "relevance": relevance, "id": hit.id}
    if record.document is not None:
        said = {"rank": hit.rank, "path": None, "document": record.document, **judged}
    else:
        said = {"rank": hit.rank, "path": hit.path, **judged, **_known(record)}
        said["copies"] = list(hit.copies)
        said["stack"] = [_member(other) for other in hit.stack] if isinstance(hit, Hit) else []
    if isinstance(hit, Hit) and hit.parts is not None:
        said["parts"] = list(hit.parts)
    return said


def _known(record: ContentRecord) -> dict[str, object]:
    return {
        "width": record.width,
        "height": record.height,
        "format": record.format,
        "size": record.size,
        "taken_at": record.taken_at,
        "camera": record.camera,
        "lens": record.lens,
        "latitude": record.latitude,
        "longitude": record.longitude,
    }


def _member(record: ContentRecord) -> dict[str, object]:
    """A near-duplicate, as JSON says it; its first path stands for all its copies."""
    return {"id": record.id, "path": record.paths[0]}


def as_line(hit: Listed, path: str | None = None) -> str:
    """A hit for people: rank, score (doubtful with a question mark), path (spelled as given), and what is known."""
    record = hit.record
    known = [f"{record.width}×{record.height}" if record.document is None else "document"]
    if record.taken_at is not None:
        known.append(f"{record.taken_at:%Y-%m-%d}")
    if record.camera:
        known.append(record.camera)
    if isinstance(hit, Hit) and hit.parts is not None:
        known.append("parts " + " ".join(f"{score:.3f}" for score in hit.parts))
    if hit.copies:
        known.append(f"{len(hit.copies)} more {'copy' if len(hit.copies) == 1 else 'copies'}")
    if isinstance(hit, Hit) and hit.stack:
        known.append(f"{len(hit.stack)} near-duplicate{'' if len(hit.stack) == 1 else 's'}")
    score = f"{hit.score:.3f}{'?' if hit.is_relevant is False else ' '} " if isinstance(hit, Hit) else ""
    return f"{hit.rank:>3}  {score}{path or shown(hit.name)}  ({', '.join(known)})"
