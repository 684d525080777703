"""TREC judgements with plain query files, for collections made by hand.

A folder with `qrels.txt` (query 0 image grade) and `queries.txt` (`id<TAB>text`) or `queries.LANG.txt`; the suffix may
also be `.tsv`. The gallery is `pictures.txt`, one path per line, or else every image in the folder. `root.txt` contains
the folder that the paths are relative to, if it is not this one.
"""

from pathlib import Path

from core.errors import DatasetError, MissingPictures
from search.evaluate.datasets.base import (
    UNKNOWN_LANGUAGE,
    DatasetBuilder,
    DatasetFormat,
    ReadOptions,
    images_beneath,
)
from search.evaluate.text_files import FilePosition, read_lines
from search.evaluate.trec import Qrels, read_qrels, relevant_documents

__all__ = ["FORMAT"]

_SUFFIXES = ("txt", "tsv")


def _recognises(path: Path) -> bool:
    return path.is_dir() and bool(_files_named(path, "qrels")) and bool(_query_files(path))


def _read(path: Path, options: ReadOptions) -> DatasetBuilder:
    """Read all queries. Each needs at least one judgement, even if it is that a document is not relevant."""
    if not _recognises(path):
        raise DatasetError(path, "qrels.txt and queries.txt were expected")
    builder = DatasetBuilder(path, options.root or _root(path))
    listed = _files_named(path, "pictures")
    lines = read_lines(listed[0]) if listed else ((FilePosition(path), name) for name in images_beneath(builder.root))
    for position, image in lines:
        builder.add_image(image.strip(), "", position)
    qrels_file = _files_named(path, "qrels")[0]
    qrels = read_qrels(qrels_file)
    _add_queries(builder, qrels)
    without_text = sorted(qrels.keys() - builder.captions.keys())
    if without_text:
        raise DatasetError(qrels_file, f"{len(without_text):,} queries have no text: {', '.join(without_text[:5])}")
    unknown = {image for judged in qrels.values() for image in judged} - builder.splits.keys()
    if unknown:
        raise MissingPictures(qrels_file, tuple(sorted(unknown)))
    return builder


def _add_queries(builder: DatasetBuilder, qrels: Qrels) -> None:
    for file in _query_files(builder.path):
        parts = file.name.split(".")
        lang = parts[1] if len(parts) > 2 else UNKNOWN_LANGUAGE
        for position, line in read_lines(file):
            query, tab, text = line.partition("\t")
            if not tab:
                raise position.error("id<TAB>text was expected")
            if query not in qrels:
                raise position.error(f"the query {query!r} has no judgement")
            builder.add_query(query, text, lang, relevant_documents(qrels, query), position)


def _root(folder: Path) -> Path:
    files = _files_named(folder, "root")
    return folder / next(read_lines(files[0]))[1].strip() if files else folder


def _files_named(folder: Path, stem: str) -> list[Path]:
    return [folder / f"{stem}.{suffix}" for suffix in _SUFFIXES if (folder / f"{stem}.{suffix}").is_file()]


def _query_files(folder: Path) -> list[Path]:
    return sorted(file for suffix in _SUFFIXES for file in folder.glob(f"queries*.{suffix}"))


FORMAT = DatasetFormat(_recognises, _read)
