"""Runs and judgements in the files that other tools write: TREC files, and JSON of ranx and pytrec_eval.

    {"q1": {"d1": 0.9, "d2": 0.3}}      a run: query id -> {document id: score}
    {"q1": ["d1", "d2"]}                a run without scores, best first
    {"q1": {"d1": 1, "d7": 0}}          judgements: query id -> {document id: grade}

ranx saves both as such JSON (`Run.save("run.json")`), and they are the dictionaries that pytrec_eval takes.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from core.errors.base import first_names
from search.evaluate.text_files import FilePosition, read_json, read_lines
from search.evaluate.trec import Qrels, Run, decode_id, read_qrels, read_run_lines

__all__ = ["RunFile", "open_qrels", "open_run", "unmatched_notices"]

Number = TypeVar("Number", int, float)

_MIN_RISING = 0.9
"""Share of neighbouring ranks with a higher score at the lower rank, from which the scores seem to be distances."""


@dataclass(frozen=True)
class RunFile:
    """A run from a file, and what the user should know about how it was read."""

    path: Path
    run: Run
    notices: tuple[str, ...] = ()


def open_run(path: Path | str) -> RunFile:
    """Read a run in TREC format or JSON. Raises `DatasetError` for a file, a line or an entry that cannot be read.

    The scores decide. Where all scores of every query are equal, as in runs that were written without scores, the ranks
    do.
    """
    path = Path(path)
    if not _is_json(path):
        return _read_trec_run(path)
    run: dict[str, dict[str, float]] = {}
    without_scores = 0
    for position, query, entries in _json_queries(path):
        if isinstance(entries, list):
            run[query] = _by_order(position, entries)
            without_scores += 1
        else:
            run[query] = _numbers(position, entries, _score)
    notice = f"{without_scores:,} queries have no scores; their documents are ranked in the order of the file."
    return RunFile(path, run, (notice,) if without_scores else ())


def open_qrels(path: Path | str) -> dict[str, dict[str, int]]:
    """Read judgements in TREC format or JSON. Raises `DatasetError`."""
    path = Path(path)
    if not _is_json(path):
        return read_qrels(path)
    return {query: _numbers(position, entries, _grade) for position, query, entries in _json_queries(path)}


def unmatched_notices(file: RunFile, qrels: Qrels, qrels_name: str) -> tuple[str, ...]:
    """Return notices of queries that only the run, or only the judgements have.

    Raises `DatasetError` if they have no query, or no document in common.
    """
    shared = qrels.keys() & file.run.keys()
    if not shared:
        mine, theirs = first_names(tuple(file.run)), first_names(tuple(qrels))
        raise FilePosition(file.path).error(
            f"no query is judged in {qrels_name}. Queries of the run: {mine}; judged queries: {theirs}"
        )
    if not any(qrels[query].keys() & file.run[query].keys() for query in shared):
        query = next(query for query in qrels if query in shared)
        mine, theirs = first_names(tuple(file.run[query])), first_names(tuple(qrels[query]))
        raise FilePosition(file.path).error(
            f"no document is judged in {qrels_name}. Documents of the query {query}: {mine}; judged: {theirs}"
        )
    missing = tuple(query for query in qrels if query not in file.run)
    surplus = tuple(query for query in file.run if query not in qrels)
    notices = []
    if missing:
        notices.append(f"{len(missing):,} judged queries are not in the run and count as 0: {first_names(missing)}")
    if surplus:
        notices.append(f"{len(surplus):,} queries are not judged and not evaluated: {first_names(surplus)}")
    return tuple(notices)


def _read_trec_run(path: Path) -> RunFile:
    run: dict[str, dict[str, float]] = {}
    ranks: dict[str, dict[str, float]] = {}  # as long as no scores differ
    rising = falling = 0
    last_query, last_rank, last_score = "", -1, 0.0
    scores_differ = False
    for line in read_run_lines(path):
        line.add_to(run)
        rank = int(line.rank) if line.rank.isdecimal() else -1
        if line.query == last_query and line.score != last_score:
            scores_differ = True
            if rank > last_rank >= 0:
                rising += line.score > last_score
                falling += line.score < last_score
        if not scores_differ and rank >= 0:
            ranks.setdefault(decode_id(line.query), {})[decode_id(line.document)] = -float(rank)
        last_query, last_rank, last_score = line.query, rank, line.score
    if not scores_differ and _are_rankings(run, ranks):
        return RunFile(path, ranks, ("All scores of each query are equal, so the ranks in the file are used.",))
    if rising and rising >= _MIN_RISING * (rising + falling):
        notice = (
            "The scores rise with the ranks in the file. They are used as scores: the highest is ranked first. "
            "Negate them if they are distances."
        )
        return RunFile(path, run, (notice,))
    return RunFile(path, run)


def _are_rankings(run: Run, ranks: Run) -> bool:
    """Return whether the ranks order all documents of every query, no score does, and there is something to order."""
    return any(len(scores) > 1 for scores in run.values()) and all(
        len(set(ranks.get(query, {}).values())) == len(scores) and len(set(scores.values())) == 1
        for query, scores in run.items()
    )


def _is_json(path: Path) -> bool:
    return path.name.endswith((".json", ".json.gz")) or next(read_lines(path))[1].lstrip().startswith("{")


def _json_queries(path: Path) -> Iterator[tuple[FilePosition, str, dict[str, object] | list[object]]]:
    content = read_json(path)
    expected = 'an object was expected: {"query": {"document": number}}'
    if not isinstance(content, dict) or not content:
        raise FilePosition(path).error(expected)
    for query, entries in content.items():
        position = FilePosition(path, place=f"query {query}")
        if not isinstance(entries, dict | list):
            raise position.error(expected)
        yield position, query, entries


def _numbers(
    position: FilePosition, entries: dict[str, object] | list[object], read: Callable[[object], Number | None]
) -> dict[str, Number]:
    if isinstance(entries, list):
        raise position.error("the documents have no grades; write {document: grade}")
    found: dict[str, Number] = {}
    for document, value in entries.items():
        number = read(value)
        if number is None:
            kind = "score is a finite number" if read is _score else "grade is a whole number"
            raise position.error(f"{value!r} of the document {document}: a {kind}")
        found[document] = number
    return found


def _score(value: object) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if is_number else None  # type: ignore[arg-type]


def _grade(value: object) -> int | None:
    is_whole = isinstance(value, int | float) and not isinstance(value, bool) and value == value // 1
    return int(value) if is_whole else None  # type: ignore[call-overload]


def _by_order(position: FilePosition, documents: list[object]) -> dict[str, float]:
    names = [str(document) for document in documents if isinstance(document, str | int)]
    if len(names) < len(documents):
        raise position.error("a list of document ids was expected")
    if len(set(names)) < len(names):
        twice = next(name for number, name in enumerate(names) if name in names[:number])
        raise position.error(f"the document {twice} is ranked twice; keep one of them")
    return {name: -float(place) for place, name in enumerate(names)}
