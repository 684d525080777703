"""Judgements of the page in snapshots: they come back in another library, and follow their pictures."""

from collections.abc import Callable
from pathlib import Path

from encoders.fake import FakeEncoder
from indexer import index
from search.evaluate.judgement_set import JudgementSet, list_pictures
from search.evaluate.kept_judgements import merge_judgements, read_judgements
from store import Library
from store.backup.outcomes import Outcome
from store.backup.restore_context import RestoreSettings
from store.queries import load_content_records
from store.spaces.registry import list_spaces


def judge(library: Library, query: str, grades: dict[int, int]) -> None:
    judged = JudgementSet(library.path / "judged", library)
    names, _ = list_pictures(library, [summary.stored for summary in list_spaces(library)])
    judged.set_pictures({query: query}, names)
    for content_id, grade in grades.items():
        judged.judge(query, query, load_content_records(library, [content_id])[content_id], grade)


def test_judgements_come_back_before_and_after_their_pictures(
    indexed: Library, album: Path, tmp_path: Path, paint: Callable[..., Path]
) -> None:
    judge(indexed, "a warm colour", {1: 1, 2: 0})
    judgements = read_judgements(indexed)
    assert [(each.query, each.grade, each.digest is not None) for each in judgements] == [
        ("a warm colour", grade, True) for grade in (judgements[0].grade, judgements[1].grade)
    ]
    moved = tmp_path / "moved"
    album.rename(moved)
    with Library.open(tmp_path / "new", create=True) as new:
        settings = RestoreSettings()
        planned = merge_judgements(new, judgements, RestoreSettings(dry_run=True))
        assert (planned[Outcome.RESTORED], (new.path / "judged").exists()) == (2, False)
        assert merge_judgements(new, judgements, settings)[Outcome.RESTORED] == 2
        index(new, [moved], FakeEncoder())
        assert merge_judgements(new, judgements, settings) == {Outcome.PRESENT: 2}
        changed = [type(each)(each.query, each.text, each.path, 1 - each.grade, each.digest) for each in judgements]
        assert merge_judgements(new, changed, settings) == {Outcome.KEPT: 2}
        assert merge_judgements(new, changed, RestoreSettings(replace=True)) == {Outcome.RESTORED: 2}
        again = read_judgements(new)
        assert {(each.digest, each.grade) for each in again} == {(each.digest, each.grade) for each in changed}
        assert {Path("/" + each.path.decode()).parent for each in again} == {moved}


def test_library_without_judgements_has_none(indexed: Library) -> None:
    assert read_judgements(indexed) == []
    (indexed.path / "judged").mkdir()
    (indexed.path / "judged" / "notes.txt").write_text("other files")
    assert read_judgements(indexed) == []


def test_grade_that_a_snapshot_would_be_refused_for_is_left_out(indexed: Library) -> None:
    folder = indexed.path / "judged"
    folder.mkdir()
    (folder / "gone.txt").write_text("a\t0\tred.png\t5000000\na\t0\tblue.png\t2\n")
    assert [(judgement.path, judgement.grade) for judgement in read_judgements(indexed)] == [(b"blue.png", 2)]
