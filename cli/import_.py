"""`sightline import`: take in vectors made elsewhere as a space of their own."""

from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Literal

import click

from cli.options import json_option, library_option

if TYPE_CHECKING:
    from store.exchange import Imported

__all__ = ["import_vectors"]

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(
    "import",
    epilog="""\b
Examples:
  sightline import clip.npy --paths files.txt --space clip-b32 --root ~/Pictures
  sightline import embeddings.npy --ids ids.txt --space my-vectors
  sightline import embeddings.parquet --space my-vectors --id-column key
  sightline import clip_output/ --space clip-l14   of clip-retrieval
  sightline import exported/ --space again         of `sightline export`

VECTORS is an .npy file (N, D), a Parquet file with a column of lists of floats, or a folder. A path that the
library knows gives its vector to that picture; every other name becomes a document, which searches find by
its id. Lists have one name a line, or are JSON Lines (.jsonl) with `path` or `id`; without any, vectors are
numbered from 0. All of it is taken in, or nothing.

Words cannot be embedded in such a space; `sightline similar` and evaluations work.
""",
)
@click.argument("vectors", type=click.Path(exists=True, path_type=Path))
@library_option
@click.option("--space", "name", required=True, metavar="NAME", help="What to call the space.")
@click.option("--ids", type=FILE, help="File that lists the ids of the vectors, in order.")
@click.option("--paths", type=FILE, help="File that lists the paths of the pictures, in order.")
@click.option(
    "--root", type=click.Path(path_type=Path), help="Folder where relative paths start  [default: the current one]"
)
@click.option(
    "--dtype", type=click.Choice(["float16", "float32"]), help="Precision to keep  [default: that of the file]"
)
@click.option("--vector-column", help="Parquet column that holds the vectors  [default: by its name or type]")
@click.option("--id-column", help="Parquet column that holds ids  [default: id, key, url, ...]")
@click.option("--path-column", help="Parquet column that holds paths  [default: image_path, path, ...]")
@click.option("--activate", is_flag=True, help="Let the space answer, even if the library has another that does.")
@click.option("--replace", is_flag=True, help="Replace an imported space of the same name.")
@json_option
def import_vectors(
    vectors: Path,
    library: Path,
    name: str,
    ids: Path | None,
    paths: Path | None,
    root: Path | None,
    dtype: Literal["float16", "float32"] | None,
    vector_column: str | None,
    id_column: str | None,
    path_column: str | None,
    activate: bool,
    replace: bool,
    as_json: bool,
) -> None:
    """Take in vectors made elsewhere as a space of their own, to search and to evaluate like any other."""
    from cli.progress import ShownProgress
    from encoders.registry import MODELS
    from store import Library
    from store.exchange import Columns, ImportSettings, open_vectors
    from store.exchange import import_vectors as run

    if ids is not None and paths is not None:
        raise click.UsageError("Give --ids or --paths, not both.")
    if name in MODELS:
        raise click.BadParameter(f"{name} is a model; choose another name", param_hint="--space")
    columns = Columns(vector=vector_column, path=path_column, id=id_column)
    source = open_vectors(vectors, ids or paths, as_paths=paths is not None, columns=columns)
    settings = ImportSettings(dtype=dtype, root=root, activate=activate, replace=replace)
    started = perf_counter()
    with (
        Library.open(library, create=True) as opened,
        ShownProgress("Importing") as progress,
        opened.writer_lock(progress.waiting),
    ):
        progress.begin(source.count)
        imported = run(opened, source, name, settings, progress.advance)
    _report(imported, perf_counter() - started, as_json)


def _report(imported: "Imported", seconds: float, as_json: bool) -> None:
    from cli.output import print_json, print_text

    stored = imported.stored
    if as_json:
        print_json(
            {
                "space": stored.space.model,
                "fingerprint": stored.space.fingerprint,
                "dim": stored.space.dim,
                "dtype": stored.dtype,
                "vectors": imported.vectors,
                "pictures": imported.pictures,
                "documents": imported.documents,
                "unknown_paths": imported.unknown_paths,
                "copies": imported.copies,
                "active": imported.active,
                "seconds": seconds,
            }
        )
        return
    print_text(
        f"{stored.space}: {imported.vectors:,} vectors of {stored.space.dim} × {stored.dtype} in {seconds:.1f} s"
    )
    print_text(
        f"  {imported.pictures:,} of pictures in the library, {imported.documents:,} of documents without a file"
    )
    if imported.unknown_paths:
        print_text(
            f"  {imported.unknown_paths:,} of these were named by paths where the library knows no picture "
            "(--root says where relative ones start)"
        )
    if imported.copies:
        print_text(f"  {imported.copies:,} left out: of files whose exact copy brought a vector before")
    if not imported.active:
        print_text("  Another space answers searches; --activate would let this one.")
