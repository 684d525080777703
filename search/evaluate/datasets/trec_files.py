"""TREC judgements with plain query files, for collections made by hand.

A folder with `qrels.txt` (query 0 image grade) and `queries.txt` (`id<TAB>text`) or `queries.LANG.txt`; the suffix may
also be `.tsv`. The gallery is `pictures.txt`, one path per line, or else every image in the folder. `root.txt` contains
the folder that the paths are relative to, if it is not this one. Names and ids can be percent-encoded or not in each of
the files: a judgement belongs to the query and the picture with the same decoded name.
"""

from pathlib import Path

from core.errors import DatasetError, MissingPictures
from core.errors.base import first_names
from search.evaluate.datasets.base import (
    UNKNOWN_LANGUAGE,
    DatasetBuilder,
    DatasetFormat,
    ReadOptions,
    images_beneath,
)
from search.evaluate.datasets.file_names import NameMatcher
from search.evaluate.text_files import FilePosition, read_lines
from search.evaluate.trec import Qrels, decode_id, read_qrels, relevant_documents

__all__ = ["FORMAT"]

_SUFFIXES = ("txt", "tsv")
_BLANKS = " \t"


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
        builder.add_image(image.strip(_BLANKS), "", position)
    qrels_file = _files_named(path, "qrels")[0]
    qrels = _with_listed_names(builder, read_qrels(qrels_file), qrels_file)
    _add_queries(builder, qrels)
    without_text = sorted(qrels.keys() - builder.captions.keys())
    if without_text:
        raise DatasetError(qrels_file, f"{len(without_text):,} queries have no text: {', '.join(without_text[:5])}")
    return builder


def _with_listed_names(builder: DatasetBuilder, qrels: Qrels, file: Path) -> Qrels:
    """Return the judgements with the names of pictures as the gallery has them. Raises `MissingPictures`."""
    judged = {image for of_query in qrels.values() for image in of_query}
    matcher = NameMatcher(builder.splits)
    names = {image: matcher.find(image) for image in judged}
    unknown = sorted(image for image, name in names.items() if name is None)
    if unknown:
        raise MissingPictures(file, tuple(unknown))
    changed = [f"{image} for {name}" for image, name in sorted(names.items()) if name and decode_id(name) != image]
    if changed:
        examples = first_names(tuple(changed))
        builder.notices.append(f"{len(changed):,} judged names differ from those of the pictures: {examples}")
    listed: dict[str, dict[str, int]] = {}
    for query, of_query in qrels.items():
        listed[query] = {names[image] or image: grade for image, grade in of_query.items()}
        if len(listed[query]) < len(of_query):
            raise DatasetError(file, f"a picture is judged twice for the query {query}, in two spellings")
    return listed


def _add_queries(builder: DatasetBuilder, qrels: Qrels) -> None:
    for file in _query_files(builder.path):
        parts = file.name.split(".")
        lang = parts[1] if len(parts) > 2 else UNKNOWN_LANGUAGE
        for position, line in read_lines(file):
            query, tab, text = line.partition("\t")
            if not tab:
                raise position.error("id<TAB>text was expected")
            query = query.strip(_BLANKS)
            query = query if query in qrels else decode_id(query)
            if query not in qrels:
                raise position.error(f"the query {query!r} has no judgement")
            builder.add_query(query, text, lang, relevant_documents(qrels, query), position)


def _root(folder: Path) -> Path:
    files = _files_named(folder, "root")
    return folder / next(read_lines(files[0]))[1].strip(_BLANKS) if files else folder


def _files_named(folder: Path, stem: str) -> list[Path]:
    return [folder / f"{stem}.{suffix}" for suffix in _SUFFIXES if (folder / f"{stem}.{suffix}").is_file()]


def _query_files(folder: Path) -> list[Path]:
    return sorted(file for suffix in _SUFFIXES for file in folder.glob(f"queries*.{suffix}"))


FORMAT = DatasetFormat(_recognises, _read)
