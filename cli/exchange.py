"""`sightline import` and `sightline export`."""

import re
from pathlib import Path
from time import perf_counter
from typing import Any

import click

from cli.error_hints import describe_error
from cli.output import print_json, print_text, shown
from cli.progress import ProgressBar
from core.errors import LibraryUnusable
from encoders.model_catalog import BUILT_IN_MODELS
from store import Library
from store.exchange import (
    ImportHooks,
    ImportSettings,
    ImportSummary,
    ParquetColumns,
    export_space,
    import_vectors,
    open_vectors,
)
from store.spaces.approximation import update_approximation
from store.spaces.registry import StoredSpace, named_space

__all__ = ["ImportSettings", "ParquetColumns", "export_to_folder", "import_space"]


def import_space(
    vectors: Path,
    name: str,
    settings: ImportSettings,
    columns: ParquetColumns,
    *,
    library: Path,
    ids: Path | None,
    paths: Path | None,
    as_json: bool,
) -> None:
    """Import vectors as the space `name`, and print a summary."""
    if ids is not None and paths is not None:
        raise click.UsageError("Give either --ids or --paths.")
    if re.sub(r"[@ ][0-9]\S*$", "", name) in BUILT_IN_MODELS:  # `mini@3` is a version of `mini`
        raise click.BadParameter(f"{name} is a model; choose another name", param_hint="--space")
    source = open_vectors(vectors, ids or paths, as_paths=paths is not None, columns=columns)
    started = perf_counter()
    with Library.open(library, create=True) as opened, ProgressBar("Importing") as progress:
        hooks = ImportHooks(
            progress.begin, progress.advance, progress.waiting, lambda exc: progress.warn(describe_error(exc))
        )
        imported = import_vectors(opened, source, name, settings, hooks)
        try:
            update_approximation(opened, imported.stored)
        except LibraryUnusable as exc:  # the vectors have been imported
            progress.warn(str(exc))
    seconds = perf_counter() - started
    if as_json:
        print_json({**_import_record(imported), "seconds": seconds})
    else:
        _print_import(imported, seconds)


def export_to_folder(space: str, out: Path, *, library: Path, parquet: bool, as_json: bool) -> None:
    """Write the vectors of a space to the folder `out`, and print a summary."""
    with Library.open(library) as opened, ProgressBar("Exporting") as progress:
        stored = named_space(opened, space, prefer_active=True)
        vectors = export_space(opened, stored, out, parquet=parquet, advance=progress.advance)
    if as_json:
        print_json({**_space_record(stored), "vectors": vectors, "path": out})
    else:
        print_text(f"{vectors:,} vectors of {stored.space.dim} × {stored.dtype} in {shown(out)}")


def _space_record(stored: StoredSpace) -> dict[str, Any]:
    return {
        "space": stored.space.model,
        "fingerprint": stored.space.fingerprint,
        "dim": stored.space.dim,
        "dtype": stored.dtype,
    }


def _import_record(imported: ImportSummary) -> dict[str, Any]:
    return {
        **_space_record(imported.stored),
        "vectors": imported.vectors,
        "pictures": imported.pictures,
        "documents": imported.documents,
        "unknown_paths": imported.unknown_paths,
        "copies": imported.copies,
        "unknown_frames": imported.unknown_frames,
        "active": imported.active,
    }


def _print_import(imported: ImportSummary, seconds: float) -> None:
    stored = imported.stored
    print_text(
        f"{stored.space}: {imported.vectors:,} vectors of {stored.space.dim} × {stored.dtype} in {seconds:.1f} s"
    )
    print_text(f"  {imported.pictures:,} for pictures of the library, {imported.documents:,} for documents")
    if imported.unknown_paths:
        print_text(
            f"  {imported.unknown_paths:,} of the documents have paths that are not in the library "
            "(--root sets the folder of relative paths)"
        )
    if imported.copies:
        print_text(f"  {imported.copies:,} skipped: exact copies of a file that already has a vector")
    if imported.unknown_frames:
        print_text(
            f"  {imported.unknown_frames:,} skipped: pages or moments that the library does not know "
            "(index the files again, then import)"
        )
    if not imported.active:
        print_text("  Another space is active; --activate makes searches use this one.")
