"""The judgements of the page in snapshots of a library, and their restoring."""

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

from core.errors import DatasetError, EvaluationError
from search.evaluate.judgement_set import JudgementSet, list_pictures
from store import Library
from store.backup.outcomes import Outcome
from store.backup.records import MAX_GRADE, Judgement
from store.backup.restore_context import RestoreSettings
from store.shared_files import shared_folder
from store.spaces.registry import list_spaces

__all__ = ["JUDGEMENTS_FOLDER", "judgements_locked", "merge_judgements", "read_judgements"]

JUDGEMENTS_FOLDER = "judged"
"""Its name in the folder of a library, or in that which its machines share."""


@contextmanager
def judgements_locked(library: Library) -> Iterator[Path]:
    """Yield the folder of the judgements, locked against other programs that write to it."""
    folder = shared_folder(library)
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / "judged.lock"):
        yield folder / JUDGEMENTS_FOLDER


def read_judgements(library: Library) -> list[Judgement]:
    """Return the judgements of the page. Damaged ones are left out of a snapshot: `sightline eval` reports them."""
    folder = shared_folder(library) / JUDGEMENTS_FOLDER
    if not folder.is_dir():
        return []
    try:
        judged = JudgementSet(folder, library)
    except (DatasetError, EvaluationError):
        return []
    return [
        Judgement(query, judged.text(query), os.fsencode(picture), grade, judged.digest(picture))
        for query, grades in sorted(judged.grades.items())
        for picture, grade in sorted(grades.items())
        if abs(grade) <= MAX_GRADE  # a file that was edited may have any number
    ]


def merge_judgements(
    library: Library, judgements: Sequence[Judgement], settings: RestoreSettings
) -> Mapping[Outcome, int]:
    """Add judgements to those of the page; return the number of each outcome.

    Judgements of pictures that are not in the library are kept too, and count when these are indexed. Of a picture that
    is named by other paths now, the content decides. Raises `DatasetError` and `EvaluationError`.
    """
    outcomes = Counter[Outcome]()
    with judgements_locked(library) as folder:
        if settings.dry_run and not folder.is_dir():
            return Counter({Outcome.RESTORED: len(judgements)})
        judged = JudgementSet(folder, library)
        digests = {
            (query, judged.digest(picture)): picture for query in judged.grades for picture in judged.grades[query]
        }
        for judgement in judgements:
            if judged.text(judgement.query) != judgement.text and judgement.query in judged.grades:
                outcomes[Outcome.KEPT] += 1  # the same name stands for another query here
                continue
            key = (judgement.query, judgement.digest)
            picture = digests.get(key) if judgement.digest is not None else None
            picture = picture or os.fsdecode(judgement.path)
            here = judged.grades.get(judgement.query, {}).get(picture)
            is_new = here is None or (settings.replace and here != judgement.grade)
            outcomes[Outcome.RESTORED if is_new else Outcome.PRESENT if here == judgement.grade else Outcome.KEPT] += 1
            if is_new and not settings.dry_run:
                judged.put(judgement.query, judgement.text, picture, judgement.grade, judgement.digest)
        if outcomes[Outcome.RESTORED] and not settings.dry_run:
            spaces = [summary.stored for summary in list_spaces(library)]
            names = list_pictures(library, spaces)[0] if spaces else {}
            judged.set_pictures({}, names)
    return outcomes
