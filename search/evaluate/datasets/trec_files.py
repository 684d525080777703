"""TREC judgements with plain query files, for one's own collection.

A folder of `qrels.txt` (query 0 picture grade) and `queries.txt` (`id<TAB>text`) or `queries.LANG.txt`; or `.tsv`. The
gallery is `pictures.txt`, a path a line, or else every picture in the folder. `root.txt` names the folder that they are
relative to, where it is not this one.
"""

from pathlib import Path

from core.errors import DatasetError, MissingPictures
from search.evaluate.datasets.base import UNKNOWN_LANGUAGE
from search.evaluate.datasets.collect import Contents, Options
from search.evaluate.datasets.files import pictures_beneath
from search.evaluate.qrels import relevant_documents
from search.evaluate.text_records import Source, read_lines
from search.evaluate.trec import read_qrels

__all__ = ["read", "recognises"]

_ENDINGS = ("txt", "tsv")


def recognises(path: Path) -> bool:
    """Whether `path` is such a folder."""
    return path.is_dir() and bool(_named(path, "qrels")) and bool(_queries(path))


def read(path: Path, options: Options) -> Contents:
    """All queries; every one must have been judged, if only to say that nothing is relevant."""
    if not recognises(path):
        raise DatasetError(path, "qrels.txt and queries.txt were expected")
    contents = Contents(path, options.root or _root(path))
    listed = _named(path, "pictures")
    lines = read_lines(listed[0]) if listed else ((Source(path), name) for name in pictures_beneath(contents.root))
    for source, image in lines:
        contents.add_picture(image.strip(), "", source)
    judgements = _named(path, "qrels")[0]
    qrels = read_qrels(judgements)
    _take_queries(contents, qrels)
    if len(qrels) > len(contents.captions):
        nameless = sorted(qrels.keys() - contents.captions.keys())
        raise DatasetError(judgements, f"{len(nameless):,} queries have no text: {', '.join(nameless[:5])}")
    strange = {image for judged in qrels.values() for image in judged} - contents.splits.keys()
    if strange:
        raise MissingPictures(judgements, tuple(sorted(strange)))
    return contents


def _take_queries(contents: Contents, qrels: dict[str, dict[str, int]]) -> None:
    for file in _queries(contents.path):
        parts = file.name.split(".")
        lang = parts[1] if len(parts) > 2 else UNKNOWN_LANGUAGE
        for source, line in read_lines(file):
            query, tab, text = line.partition("\t")
            if not tab:
                raise source.wrong("id<TAB>text was expected")
            if query not in qrels:
                raise source.wrong(f"the query {query!r} has no judgement")
            contents.add_query(query, text, lang, relevant_documents(qrels, query), source)


def _root(folder: Path) -> Path:
    said = _named(folder, "root")
    return folder / next(read_lines(said[0]))[1].strip() if said else folder


def _named(folder: Path, stem: str) -> list[Path]:
    return [folder / f"{stem}.{ending}" for ending in _ENDINGS if (folder / f"{stem}.{ending}").is_file()]


def _queries(folder: Path) -> list[Path]:
    return sorted(file for ending in _ENDINGS for file in folder.glob(f"queries*.{ending}"))
