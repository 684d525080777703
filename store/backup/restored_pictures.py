"""Tags, ratings and verdicts of a snapshot: what of them is missing in the library, and adding it."""

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, select, tuple_, update

from store.backup.outcomes import Outcome, Statement
from store.backup.records import PictureRecord, TellApart
from store.backup.restore_context import RestoreContext
from store.catalog.collation import fold
from store.catalog.id_sets import batch_slices
from store.catalog.tables import Content, ContentTag, DistinctPair, Tag, TagSource
from store.near_duplicates.verdicts import Pair
from store.tags import Tagging, add_taggings

__all__ = ["missing_verdicts", "restore_pictures"]

PAIRS_PER_STATEMENT = 1_000


def restore_pictures(context: RestoreContext, records: Sequence[PictureRecord]) -> None:
    """Add tags that are missing, and ratings of unrated pictures; change ratings only if the snapshot replaces them."""
    report, connection = context.report, context.connection
    found = context.matcher.match(record.picture for record in records)
    ids = sorted(set(found.values()))
    tags, ratings = _tag_keys(connection, ids), _ratings(connection, ids)
    new_tags, new_ratings = list[Tagging](), dict[int, int]()
    for record in records:
        content_id = found.get(record.picture.digest)
        if content_id is None:
            report.add(Statement.TAGS, Outcome.UNKNOWN, len(record.tags))
            report.add(Statement.RATINGS, Outcome.UNKNOWN, record.rating is not None)
            continue
        names = {fold(name): name for name in record.tags}
        missing = names.keys() - tags[content_id]
        report.add(Statement.TAGS, Outcome.RESTORED, len(missing))
        report.add(Statement.TAGS, Outcome.PRESENT, len(names) - len(missing))
        tags[content_id] |= missing
        new_tags += [Tagging(content_id, names[key]) for key in sorted(missing)]
        if record.rating is not None:
            here = ratings.get(content_id)
            outcome = context.outcome(is_missing=here is None, is_same=here == record.rating)
            report.add(Statement.RATINGS, outcome)
            if outcome is Outcome.RESTORED:
                ratings[content_id] = new_ratings[content_id] = record.rating
    if not context.settings.dry_run:
        add_taggings(connection, new_tags, TagSource.USER)
        _write_ratings(connection, new_ratings)


def _write_ratings(connection: Connection, ratings: dict[int, int]) -> None:
    if ratings:
        rows = [{"content": content_id, "stars": rating} for content_id, rating in ratings.items()]
        connection.execute(_UPDATE_RATING, rows)


_UPDATE_RATING = update(Content).where(Content.id == bindparam("content")).values(user_rating=bindparam("stars"))


def missing_verdicts(context: RestoreContext, records: Sequence[TellApart]) -> list[Pair]:
    """Return the verdicts that the library does not have."""
    report = context.report
    found = context.matcher.match(name for record in records for name in (record.first, record.second))
    pairs = set[Pair]()
    for record in records:
        first, second = found.get(record.first.digest), found.get(record.second.digest)
        if first is None or second is None:
            report.add(Statement.VERDICTS, Outcome.UNKNOWN)
        elif first != second:  # both were found at the path of one file
            pairs.add((min(first, second), max(first, second)))
    listed, known = sorted(pairs), set[Pair]()
    for start in range(0, len(listed), PAIRS_PER_STATEMENT):
        is_named = tuple_(DistinctPair.first_id, DistinctPair.second_id).in_(
            listed[start : start + PAIRS_PER_STATEMENT]
        )
        rows = context.connection.execute(select(DistinctPair.first_id, DistinctPair.second_id).where(is_named))
        known |= {(row.first_id, row.second_id) for row in rows}
    report.add(Statement.VERDICTS, Outcome.PRESENT, len(known))
    report.add(Statement.VERDICTS, Outcome.RESTORED, len(pairs - known))
    return sorted(pairs - known)


def _tag_keys(connection: Connection, ids: Sequence[int]) -> defaultdict[int, set[str]]:
    """Return the tags by users of contents, in their comparable form."""
    keys = defaultdict[int, set[str]](set)
    for batch in batch_slices(len(ids)):
        statement = (
            select(ContentTag.content_id, Tag.key)
            .join(Tag, Tag.id == ContentTag.tag_id)
            .where(ContentTag.content_id.in_(ids[batch]), ContentTag.source == TagSource.USER)
        )
        for row in connection.execute(statement):
            keys[row.content_id].add(row.key)
    return keys


def _ratings(connection: Connection, ids: Sequence[int]) -> dict[int, int | None]:
    ratings: dict[int, int | None] = {}
    for batch in batch_slices(len(ids)):
        statement = select(Content.id, Content.user_rating).where(Content.id.in_(ids[batch]))
        ratings |= {row.id: row.user_rating for row in connection.execute(statement)}
    return ratings
