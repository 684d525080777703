"""`sightline import`."""

from pathlib import Path
from typing import Literal

import click

from cli.options import json_option, library_option

__all__ = ["import_vectors"]

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(
    "import",
    epilog="""\b
Examples:
  sightline import clip.npy --paths files.txt --space clip-b32 --root ~/Pictures
  sightline import embeddings.npy --ids ids.txt --space my-vectors
  sightline import img.npy --ids captions.jsonl --space my-vectors   the pictures of a data set, in order
  sightline import embeddings.parquet --space my-vectors --id-column key
  sightline import clip_output/ --space clip-l14   the output of clip-retrieval
  sightline import exported/ --space again         the output of `sightline export`

VECTORS is an .npy file (N, D), a Parquet file with a column of lists of floats or one column for each dimension
(0, 1, ... or emb_0, emb_1, ...), or a folder. The vector of a path in the library belongs to that picture; every
other name becomes a document, which searches return by its ID.
Lists have one name per line, or are CSV with a header (id, photo_id, path, ...), or JSON Lines (.jsonl) with `path`
or `id`, or with `image` and `caption`, which name each picture once; without a list, vectors are numbered from 0.
All vectors are checked before any is written. Searches find them when all have been; an import that was stopped
continues if the command is repeated.

Text cannot be embedded in this space; `sightline similar` and evaluations work.
""",
)
@click.argument("vectors", type=click.Path(exists=True, path_type=Path))
@library_option
@click.option("--space", "name", required=True, metavar="NAME", help="Name of the new space.")
@click.option("--ids", type=FILE, help="File with the IDs of the vectors, in order.")
@click.option("--paths", type=FILE, help="File with the paths of the pictures, in order.")
@click.option(
    "--root", type=click.Path(path_type=Path), help="Folder of relative paths.  [default: the current folder]"
)
@click.option(
    "--dtype", type=click.Choice(["float16", "float32"]), help="Number format to store.  [default: that of the file]"
)
@click.option("--vector-column", help="Parquet column of the vectors.  [default: by its name or type]")
@click.option("--id-column", help="Parquet column of the IDs.  [default: id, key, url, ...]")
@click.option("--path-column", help="Parquet column of the paths.  [default: image_path, path, ...]")
@click.option("--activate", is_flag=True, help="Make the space active, even if the library has another active space.")
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
    """Import vectors from other tools as a space, to search and evaluate like any other."""
    from cli.exchange import ImportSettings, ParquetColumns, import_space

    import_space(
        vectors,
        name,
        ImportSettings(dtype=dtype, root=root, activate=activate, replace=replace),
        ParquetColumns(vector=vector_column, path=path_column, id=id_column),
        library=library,
        ids=ids,
        paths=paths,
        as_json=as_json,
    )
