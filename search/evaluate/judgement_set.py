"""Relevance judgements made by hand for a library: the folder that stores them.

The folder is a data set in TREC format (see `datasets.trec_files`): queries, judgements, and the list of all pictures.
`digests.txt` has the SHA-256 of each judged picture, in the format of `sha256sum`, so that a judgement follows its
picture when the file is moved or renamed.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from core.errors import DatasetError, EvaluationError
from search.evaluate.text_files import read_lines, write_lines
from search.evaluate.trec import qrels_lines, read_qrels
from store import Library
from store.content_digests import contents_with_digests, digests_of
from store.queries import ContentRecord, load_content_records, searchable_records
from store.spaces.registry import StoredSpace

__all__ = ["JudgementSet", "list_pictures", "listed_name", "read_queries"]

_DIGEST_LINE = re.compile(r"([0-9a-f]{64})  (.+)")

ROOT = Path("/")
"""The folder that picture paths are relative to: a library may have folders anywhere."""


def read_queries(path: Path) -> dict[str, str]:
    """Read id -> text from a file with one query per line: `id<TAB>text`, or only the text, which is then also the id.

    Raises `DatasetError` for a file that cannot be read, and for a duplicate id.
    """
    queries: dict[str, str] = {}
    for position, line in read_lines(path):
        name, tab, text = line.partition("\t")
        text = " ".join((text if tab else line).split())
        name = name.strip() if tab else text
        if not name or not text:
            raise position.error("a query, or id<TAB>query, was expected")
        if name in queries:
            raise position.error(f"duplicate query {name!r}")
        queries[name] = text
    return queries


def list_pictures(library: Library, spaces: Sequence[StoredSpace]) -> tuple[dict[str, str], int]:
    """Return path -> listed name of the pictures that all `spaces` can find, and the number of pictures left out.

    Paths are relative to `ROOT`. Copies share a vector, and therefore one listed name. Left out are pictures whose name
    cannot be a line of text.
    """
    records = searchable_records(library, spaces)
    pictures = [(record, listed_name(record)) for record in records if record.document is None]
    names = {_relative(path): name for record, name in pictures if name is not None for path in record.paths}
    return names, sum(name is None for _, name in pictures)


class JudgementSet:
    """The folder `path` of judgements, created if needed. Every judgement is written to disk at once.

    `lang` is the language of the queries, if known. Judgements follow pictures of `library` that are moved. Those of
    pictures that are not in the library now are kept in `gone.txt` until the pictures are back. Raises `DatasetError`
    for a folder that contains other files, and `EvaluationError` if the folder cannot be written.
    """

    def __init__(self, path: Path, library: Library, lang: str | None = None) -> None:
        self.path = path
        self._library = library
        self.grades: dict[str, dict[str, int]] = {}
        """Query -> {picture: grade}; 0 is wrong, a higher grade is right."""
        self._qrels = path / "qrels.txt"
        self._gone = path / "gone.txt"
        self._digest_file = path / "digests.txt"
        self._names: Mapping[str, str] = {}
        self._queries = path / (f"queries.{lang}.txt" if lang else "queries.txt")
        self._texts: dict[str, str] = {}
        try:
            path.mkdir(parents=True, exist_ok=True)
            is_ours = _is_judgement_folder(path)
        except OSError as exc:
            raise EvaluationError(f"Cannot write {path}: {exc.strerror or exc}") from exc
        if not is_ours:
            raise DatasetError(path, "The folder contains other files than judgements. Choose a new folder.")
        for file in (self._gone, self._qrels):
            if _has_lines(file):
                for query, judged in read_qrels(file).items():
                    self.grades.setdefault(query, {}).update(judged)
        self._digests = _read_digests(self._digest_file) if _has_lines(self._digest_file) else {}
        if _has_lines(self._queries):
            self._texts = {name: text for name, text in read_queries(self._queries).items() if name in self.grades}

    def set_pictures(self, queries: Mapping[str, str], names: Mapping[str, str]) -> int:
        """Set the pictures that can be found, as returned by `list_pictures`.

        Returns the number of judgements of other pictures. Raises `DatasetError` for a query whose text was different
        when it was judged.
        """
        for name, text in queries.items():
            if self._texts.get(name, text) != text:
                raise DatasetError(self._queries, f"the query {name!r} was judged as {self._texts[name]!r}")
            if name in self.grades:
                self._texts[name] = text
        self._names = names
        self._follow_moved_pictures()
        write_lines(self._gone, qrels_lines(self.grades))  # all of them, in case writing stops halfway
        write_lines(self.path / "pictures.txt", sorted(set(names.values())))
        write_lines(self.path / "root.txt", [str(ROOT)])
        self._save()
        return sum(picture not in names for judged in self.grades.values() for picture in judged)

    def grade(self, query: str, record: ContentRecord) -> int | None:
        """Return the stored grade of this picture, or of a copy of it."""
        grades = self.grades.get(query, {})
        return next((grades[name] for name in map(_relative, record.paths) if name in grades), None)

    def judge(self, query: str, text: str, record: ContentRecord, grade: int) -> None:
        """Store a judgement."""
        self._texts[query] = text
        picture = _relative(record.paths[0])
        self.grades.setdefault(query, {})[picture] = grade
        digest = digests_of(self._library, [record.id]).get(record.id)
        if digest is not None:
            self._digests[picture] = digest
        self._save()

    def remove(self, query: str, record: ContentRecord) -> None:
        """Remove a judgement."""
        self.grades[query].pop(_relative(record.paths[0]))
        if not self.grades[query]:
            del self.grades[query], self._texts[query]
        self._save()

    def text(self, query: str) -> str:
        """Return the text of a judged query; that of one whose pictures are all gone is its name."""
        return self._texts.get(query, query)

    def digest(self, picture: str) -> bytes | None:
        """Return the SHA-256 of a judged picture, if it is known."""
        return self._digests.get(picture)

    def put(self, query: str, text: str, picture: str, grade: int, digest: bytes | None) -> None:
        """Add a judgement of a picture that may be anywhere, without writing it; `set_pictures` then writes all."""
        self._texts.setdefault(query, text)
        self.grades.setdefault(query, {})[picture] = grade
        if digest is not None:
            self._digests[picture] = digest

    def _follow_moved_pictures(self) -> None:
        """Name each judged picture by a path where its content is now.

        A picture that is gone keeps its path, or is named `sha256:DIGEST` if there is another picture at that path.
        """
        judged = {picture for of_query in self.grades.values() for picture in of_query}
        digests = {picture: self._digests[picture] for picture in judged if picture in self._digests}
        ids = contents_with_digests(self._library, set(digests.values()))
        records = load_content_records(self._library, sorted(ids.values()))
        new_names = {}
        for picture, digest in digests.items():
            record = records.get(ids.get(digest, 0))
            paths = [name for name in map(_relative, record.paths) if name in self._names] if record else []
            if picture not in paths and (paths or picture in self._names):
                new_names[picture] = paths[0] if paths else f"sha256:{digest.hex()}"
        renamed = {new_names.get(picture, picture): digest for picture, digest in digests.items()}
        self._digests = {**self._digests, **renamed}
        self.grades = {
            query: {new_names.get(picture, picture): grade for picture, grade in of_query.items()}
            for query, of_query in self.grades.items()
        }

    def _save(self) -> None:
        """Write all files. They are small, and written atomically, so they are complete at any time."""
        present: dict[str, dict[str, int]] = {}
        gone: dict[str, dict[str, int]] = {}
        for query, judged in self.grades.items():
            for picture, grade in judged.items():
                if picture in self._names and query in self._texts:
                    present.setdefault(query, {})[self._names[picture]] = grade
                else:
                    gone.setdefault(query, {})[picture] = grade
        write_lines(self._queries, [f"{name}\t{text}" for name, text in self._texts.items() if name in present])
        write_lines(self._qrels, qrels_lines(present))
        write_lines(self._gone, qrels_lines(gone))
        known = sorted({picture for of_query in self.grades.values() for picture in of_query} & self._digests.keys())
        write_lines(self._digest_file, [f"{self._digests[picture].hex()}  {picture}" for picture in known])


def _read_digests(path: Path) -> dict[str, bytes]:
    """Read picture -> digest. Raises `DatasetError`."""
    digests = {}
    for position, line in read_lines(path):
        match = _DIGEST_LINE.fullmatch(line)
        if match is None:
            raise position.error("a SHA-256, two blanks and the path of a picture were expected")
        digests[match[2]] = bytes.fromhex(match[1])
    return digests


def _is_judgement_folder(folder: Path) -> bool:
    """Return whether the folder contains judgements or is empty. Other files may have the same names as ours."""
    names = {file.name for file in folder.iterdir()}
    return not names.isdisjoint(("gone.txt", "qrels.txt")) or all(
        name.startswith(".") for name in names
    )  # temporary files


def _has_lines(path: Path) -> bool:
    return path.exists() and path.stat().st_size > 0


def _relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def listed_name(record: ContentRecord) -> str | None:
    """Return the name of the picture in `pictures.txt`, or None if it cannot be a line of UTF-8 text."""
    name = _relative(record.paths[0])
    try:
        name.encode()
    except UnicodeEncodeError:
        return None
    return name if name == name.strip() and name.isprintable() else None
