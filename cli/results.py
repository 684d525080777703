"""Hits on standard output and in files: lines, JSON, paths, tables and folders."""

import base64
import csv
import errno
import os
import shutil
import textwrap
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

import click

from cli.options import OutputOptions
from cli.output import in_utf8, is_utf8, print_json, print_paths, print_text, shown, warn
from core.frames import Frame
from core.metadata import DateSource
from core.object_paths import ObjectPath
from core.root_files import open_file, status_of
from search.results import FoundText, Hit, ListedImage, escape_formula
from store.queries import ContentRecord

__all__ = [
    "FOUND",
    "NOTHING_FOUND",
    "hit_line",
    "hit_record",
    "print_hits",
    "print_next_page",
    "shown_date",
    "write_csv",
    "write_folder",
    "write_table",
]

MAX_SHOWN_TEXT = 80
"""Characters of the text in a picture that a line for people shows."""

FOUND, NOTHING_FOUND = 0, 1
"""Exit codes."""


def print_hits(title: str, hits: Sequence[ListedImage], output: OutputOptions, limits: Sequence[str] = ()) -> int:
    """Print the hits of one query, write the files that were asked for, and return the exit code.

    `limits` names what excludes pictures, such as filters; a message about an empty answer mentions it.
    """
    _require_compatible(output)
    _write_files(title, hits, output)
    if output.as_json:
        for hit in hits:
            print_json(hit_record(hit))
    elif output.print0 or output.paths:
        print_paths(dict.fromkeys(hit.name for hit in hits), end=b"\0" if output.print0 else b"\n")
    else:
        _print_lines(hits, preview=output.preview)
    if not hits:
        warn(f"nothing was found{' with ' if limits else ''}{', '.join(limits)}")
    return FOUND if hits else NOTHING_FOUND


def _require_compatible(output: OutputOptions) -> None:
    """Raise `UsageError` for options that make no sense together."""
    if output.copy and output.export is None:
        raise click.UsageError("--copy requires --export DIR.")
    if output.csv_bom and output.csv is None:
        raise click.UsageError("--csv-bom requires --csv FILE.")
    if output.as_json and (output.paths or output.print0):
        raise click.UsageError("--json prints paths, too: leave out --paths and -0.")
    if output.csv == Path("-"):
        raise click.UsageError("--csv takes the name of a new file. Use ./- for a file named -.")


def _write_files(title: str, hits: Sequence[ListedImage], output: OutputOptions) -> None:
    if output.sheet is not None:
        from cli.sheets import SheetSection, write_sheet

        write_sheet(output.sheet, [SheetSection(title, hits)])
    if output.csv is not None:
        write_csv(output.csv, hits, bom=output.csv_bom)
    if output.export is not None:
        write_folder(output.export, hits, copy=output.copy)


def print_next_page(cursor: str | None, *, as_json: bool) -> None:
    """Print how to get the next page: in JSON as the last line, otherwise to standard error."""
    if as_json:
        print_json({"next": cursor})
    elif cursor is not None:
        warn(f"next page: --page {cursor}")


def _print_lines(hits: Sequence[ListedImage], *, preview: bool) -> None:
    show_picture = None
    if preview:
        from cli import thumbnails

        if thumbnails.can_preview():
            show_picture = thumbnails.show_picture
        else:
            warn("--preview requires a terminal; --sheet FILE.html shows the pictures, too")
    for hit in hits:
        print_text(hit_line(hit))
        if show_picture is not None:
            show_picture(hit.path, hit.frame_number)


def hit_line(hit: ListedImage, path: str | None = None) -> str:
    """Return a line for people: rank, score (a doubtful one with a question mark), path, frame and details.

    `path` replaces the path of the hit.
    """
    record = hit.record
    details = [f"{record.width}×{record.height}" if record.document is None else "document"]
    if record.taken_at is not None:
        details.append(shown_date(record))
    if record.camera:
        details.append(record.camera)
    if isinstance(hit, Hit) and hit.parts is not None:
        details.append("parts " + " ".join(f"{score:.3f}" for score in hit.parts))
    if hit.copies:
        details.append(f"{len(hit.copies)} more {'copy' if len(hit.copies) == 1 else 'copies'}")
    if record.companions:
        details.append("with " + " ".join(shown(companion.name) for companion in record.companions))
    if isinstance(hit, Hit) and hit.stack:
        details.append(f"{len(hit.stack)} near-duplicate{'' if len(hit.stack) == 1 else 's'}")
    if hit.texts:
        details.append(f"text: {_shown_text(hit.texts)}")
    score = f"{hit.score:.3f}{'?' if hit.is_relevant is False else ' '} " if isinstance(hit, Hit) else ""
    frame = f", {hit.frame}" if isinstance(hit, Hit) and hit.frame is not None else ""
    return f"{hit.rank:>3}  {score}{path or shown(hit.name)}{frame}  ({', '.join(details)})"


def shown_date(record: ContentRecord) -> str:
    """Return the day when a picture was taken, marked if only the name of the file has it; empty without a date."""
    if record.taken_at is None:
        return ""
    return f"{record.taken_at:%Y-%m-%d}{' by its name' if record.date_source is DateSource.NAME else ''}"


def hit_record(hit: ListedImage) -> dict[str, object]:
    """Return a hit as a JSON object.

    Pictures of a list without a ranking have the same keys, with null for the scores. A document of an imported space
    has `document` in place of the keys of a file.
    """
    record = hit.record
    ranked = hit if isinstance(hit, Hit) else None
    scores: dict[str, object] = {
        "score": ranked and ranked.score,
        "relevance": ranked and ranked.relevance,
        "is_relevant": ranked and ranked.is_relevant,
        "text_match": ranked and ranked.text_match,
        "id": hit.id,
    }
    if record.document is not None:
        fields = {"rank": hit.rank, "path": None, "document": record.document, **scores}
    else:
        frame = ranked and ranked.frame and _frame_record(ranked.frame)
        fields = {"rank": hit.rank, "path": hit.path, **scores, "frame": frame, **_metadata(record)}
        fields["texts"] = [_text_record(found) for found in hit.texts]
        fields["copies"] = list(hit.copies)
        fields["companions"] = list(record.companions)
        fields["stack"] = [{"id": other.id, "path": other.paths[0]} for other in ranked.stack] if ranked else []
    if ranked and ranked.parts is not None:
        fields["parts"] = list(ranked.parts)
        fields["contributions"] = list(ranked.contributions or ())
    return fields


def _text_record(found: FoundText) -> dict[str, object]:
    """Return a line of text as a JSON object: `frame` is from 0, `corners` are shares of width and height."""
    line = found.line
    corners = list(zip(line.corners[::2], line.corners[1::2], strict=True))
    return {"frame": found.frame, "text": line.text, "confidence": line.confidence, "corners": corners}


def _shown_text(texts: Sequence[FoundText]) -> str:
    """Return the beginning of the lines that were found, for people."""
    return textwrap.shorten(" / ".join(found.line.text for found in texts), MAX_SHOWN_TEXT, placeholder=" ...")


def _frame_record(frame: Frame) -> dict[str, object]:
    """Return a frame as a JSON object: `number` is from 0, `label` is for people."""
    return {"number": frame.number, "kind": frame.kind.value, "seconds": frame.seconds, "label": str(frame)}


def _metadata(record: ContentRecord) -> dict[str, object]:
    return {
        "width": record.width,
        "height": record.height,
        "format": record.format,
        "size": record.size,
        "taken_at": record.taken_at,
        "utc_offset": record.utc_offset,
        "date_source": record.date_source,
        "camera": record.camera,
        "lens": record.lens,
        "latitude": record.latitude,
        "longitude": record.longitude,
        "sublocation": record.sublocation,
        "city": record.city,
        "region": record.region,
        "country": record.country,
        "people": [asdict(person) for person in record.people],
        "duration": record.duration,
    }


CSV_COLUMNS = (
    "rank", "path", "path_b64", "document", "score", "relevance", "is_relevant", "id", "width", "height", "format",
    "size", "taken_at", "camera", "lens", "latitude", "longitude", "frame", "utc_offset", "date_source", "sublocation",
    "city", "region", "country", "people", "text", "duration",
)  # fmt: skip

MAX_NAME_BYTES = 255
"""Longest file name on nearly every file system."""


def write_csv(file: Path, hits: Sequence[ListedImage], *, bom: bool = False) -> None:
    """Write a table with one row per hit. Text that a spreadsheet would run as a formula gets an apostrophe.

    `bom` and errors are as for `write_table`.
    """
    write_table(file, CSV_COLUMNS, map(_csv_row, hits), bom=bom)


def write_table(file: Path, columns: Sequence[str], rows: Iterable[Sequence[object]], *, bom: bool = False) -> None:
    """Write a table in UTF-8 to a new file.

    With `bom`, the table begins with a byte order mark, without which Excel takes it for another encoding. Raises
    `click.FileError`, also if `file` exists.
    """
    try:
        with file.open("x", encoding="utf-8-sig" if bom else "utf-8", newline="") as out:
            writer = csv.writer(out)
            writer.writerow(columns)
            writer.writerows(rows)
    except OSError as exc:
        advice = "; existing files are never overwritten" if isinstance(exc, FileExistsError) else ""
        raise click.FileError(shown(file), _reason(exc) + advice) from exc


def write_folder(folder: Path, hits: Sequence[ListedImage], *, copy: bool) -> None:
    """Fill a new or empty folder with links to the files, or copies of them, whose names sort by rank.

    A file with several hits, one for each frame, is added once. Documents are skipped, since they have no file. Raises
    `click.FileError` if the folder is not empty, or if links or copies cannot be made; those made until then are
    removed.
    """
    files = list(dict.fromkeys(hit.path for hit in hits if hit.record.document is None))
    digits = max(3, len(str(len(files))))
    created: list[Path] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise click.FileError(shown(folder), "the folder is not empty; existing files are never overwritten")
        for number, file in enumerate(files, start=1):
            target = folder / _numbered_name(number, digits, file)
            created.append(target)
            if isinstance(file, ObjectPath):
                _copy_object(file, target, copy=copy)
            elif copy:
                shutil.copy2(file, target)
            else:
                target.symlink_to(file.absolute())
    except OSError as exc:
        for target in created:
            with suppress(OSError):
                target.unlink()
        advice = "" if copy else "; use --copy where there are no links"
        raise click.FileError(shown(folder), _reason(exc) + advice) from exc


def _copy_object(file: ObjectPath, target: Path, *, copy: bool) -> None:
    """Copy an object with its modification time. Raises `OSError`, also if it was to be linked."""
    if not copy:
        raise OSError(errno.ENOTSUP, "objects in a store cannot be linked")
    with open_file(file) as source, target.open("xb") as copied:
        shutil.copyfileobj(source, copied, 1 << 20)
        time = status_of(source).mtime_ns
    os.utime(target, ns=(time, time))


def _numbered_name(number: int, digits: int, file: Path) -> str:
    """Return `001_name.jpg`: the unique number, and as much of the name as fits."""
    prefix, stem, suffix = f"{number:0{digits}}_".encode(), os.fsencode(file.stem), os.fsencode(file.suffix)
    if len(prefix) + len(suffix) >= MAX_NAME_BYTES:
        suffix = b""
    return os.fsdecode(prefix + stem[: MAX_NAME_BYTES - len(prefix) - len(suffix)] + suffix)


def _csv_row(hit: ListedImage) -> list[object]:
    record = hit.record
    path = hit.path if record.document is None else ""
    score, relevance = (hit.score, hit.relevance) if isinstance(hit, Hit) else (None, None)
    verdict = hit.is_relevant if isinstance(hit, Hit) else None
    return [
        hit.rank,
        escape_formula(in_utf8(path)),
        "" if is_utf8(path) else base64.b64encode(os.fsencode(path)).decode(),
        escape_formula(in_utf8(record.document or "")),
        "" if score is None else round(score, 6),
        "" if relevance is None else round(relevance, 6),
        "" if verdict is None else str(verdict).lower(),
        hit.id,
        record.width,
        record.height,
        record.format,
        record.size,
        "" if record.taken_at is None else record.taken_at.isoformat(),
        escape_formula(record.camera or ""),
        escape_formula(record.lens or ""),
        record.latitude,
        record.longitude,
        str(hit.frame) if isinstance(hit, Hit) and hit.frame is not None else "",
        record.utc_offset,
        record.date_source or "",
        *(escape_formula(each or "") for each in (record.sublocation, record.city, record.region, record.country)),
        escape_formula("; ".join(person.name for person in record.people)),
        escape_formula(" / ".join(found.line.text for found in hit.texts)),
        record.duration,
    ]


def _reason(exc: OSError) -> str:
    return exc.strerror or str(exc)
