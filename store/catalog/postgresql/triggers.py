"""The triggers of `store.catalog.block_triggers` and `store.catalog.change_feed`, in PL/pgSQL.

They have the same effect as those of SQLite. Each runs once for a statement, and reads all rows that it changed:
thousands of changes of one row of `content_blocks` within a transaction would each take longer than the one before,
because PostgreSQL keeps every version of a row until the transaction ends.

An `UPDATE` has two tables of changed rows, as they were and as they are. Both have the same order, so that the number
of a row connects them, even if its key has changed.
"""

from collections.abc import Iterator

from store.catalog.block_triggers import MARKED, OF_FILE
from store.catalog.change_feed import FEED_BLOCK, MAX_ROWS
from store.catalog.tables import BLOCK_SIZE

__all__ = ["trigger_statements"]


def trigger_statements() -> Iterator[str]:
    """Yield the statements that create the functions and the triggers."""
    for table, column, columns in MARKED:
        yield from _block_triggers(table, column, columns)
    yield from _feed_triggers()


def _trigger(name: str, table: str, event: str, body: str, declared: str = "") -> Iterator[str]:
    """Yield the statements for a trigger that reads the changed rows as the tables `gone` and `come`."""
    declare = f"DECLARE {declared} " if declared else ""
    yield (f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ {declare}BEGIN {body} RETURN NULL; END $$")
    tables = {
        "INSERT": "NEW TABLE AS come",
        "DELETE": "OLD TABLE AS gone",
        "UPDATE": "OLD TABLE AS gone NEW TABLE AS come",
    }
    yield (
        f"CREATE TRIGGER {name} AFTER {event} ON {table} REFERENCING {tables[event]} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {name}()"
    )


def _block_triggers(table: str, column: str | None, columns: str) -> Iterator[str]:
    def content(row: str) -> str:
        return OF_FILE.format(row=row) if column is None else f"{row}.{column}"

    begin = (
        f"INSERT INTO content_blocks (number, version) SELECT DISTINCT id / {BLOCK_SIZE}, 0 FROM come "
        "ON CONFLICT DO NOTHING; "
        if table == "contents"
        else ""
    )
    for event, rows in (("INSERT", "come"), ("DELETE", "gone")):
        marked = f"SELECT {content(rows)} / {BLOCK_SIZE} AS number FROM {rows}"
        body = (begin if event == "INSERT" else "") + _raise_versions(marked)
        yield from _trigger(f"{table}_block_{event.lower()}", table, event, body)
    kept = f"row_number() OVER () AS line, {columns}"
    pairs = (
        f"(SELECT {kept}, {content('gone')} / {BLOCK_SIZE} AS block FROM gone) AS earlier "
        f"JOIN (SELECT {kept}, {content('come')} / {BLOCK_SIZE} AS block FROM come) AS later USING (line)"
    )
    changed = " OR ".join(f"earlier.{name} IS DISTINCT FROM later.{name}" for name in columns.split(", "))
    marked = (
        f"SELECT unnest(CASE WHEN earlier.block IS DISTINCT FROM later.block THEN ARRAY[later.block, earlier.block] "
        f"ELSE ARRAY[later.block] END) AS number FROM {pairs} WHERE {changed}"
    )
    yield from _trigger(f"{table}_block_update", table, "UPDATE", _raise_versions(marked))


def _raise_versions(marked: str) -> str:
    """Return a statement that raises the versions of blocks, by one for each row of `marked`."""
    return (
        "UPDATE content_blocks AS block SET version = block.version + marked.times "
        f"FROM (SELECT number, count(*) AS times FROM ({marked}) AS each GROUP BY number) AS marked "
        "WHERE block.number = marked.number;"
    )


def _feed_triggers() -> Iterator[str]:
    for table in ("embeddings", "frame_embeddings"):
        yield from _feed_trigger(table, "INSERT", "SELECT space_id, content_id FROM come")
        yield from _feed_trigger(
            table,
            "UPDATE",
            "SELECT space_id, content_id FROM (SELECT row_number() OVER () AS line, 0 AS part, space_id, content_id "
            "FROM gone UNION ALL SELECT row_number() OVER (), 1, space_id, content_id FROM come) AS each "
            "ORDER BY line, part",
        )
        # Vectors that are deleted together with their space are of no interest.
        yield from _feed_trigger(
            table, "DELETE", "SELECT space_id, content_id FROM gone WHERE space_id IN (SELECT id FROM spaces)"
        )
    findable = "state = 'present' AND content_id IS NOT NULL"
    yield from _feed_trigger("pictures", "INSERT", f"SELECT NULL::bigint, content_id FROM come WHERE {findable}")
    yield from _feed_trigger("pictures", "DELETE", f"SELECT NULL::bigint, content_id FROM gone WHERE {findable}")
    kept = f"row_number() OVER () AS line, content_id, state, ({findable}) AS findable"
    yield from _feed_trigger(
        "pictures",
        "UPDATE",
        "SELECT NULL::bigint, content_id FROM ("
        "SELECT line, part, CASE part WHEN 0 THEN earlier.content_id ELSE later.content_id END AS content_id "
        f"FROM (SELECT {kept} FROM gone) AS earlier JOIN (SELECT {kept} FROM come) AS later USING (line), "
        "(VALUES (0), (1)) AS parts (part) "
        "WHERE (earlier.content_id IS DISTINCT FROM later.content_id OR earlier.state <> later.state) AND CASE part "
        "WHEN 0 THEN earlier.findable ELSE later.findable AND NOT "
        "(earlier.content_id IS NOT DISTINCT FROM later.content_id AND earlier.state = 'present') END) AS each "
        "ORDER BY line, part",
    )


def _feed_trigger(table: str, event: str, changed: str) -> Iterator[str]:
    """Yield the statements for a trigger that appends a space and a content for each row of `changed`, in its order.

    Write transactions are serialised, so that the numbers are consecutive, and those of a transaction that is rolled
    back are used again.
    """
    body = (
        "SELECT coalesce(max(id), 0) INTO before FROM vector_changes; "
        "INSERT INTO vector_changes (id, space_id, content_id) "
        f"SELECT before + row_number() OVER (), * FROM ({changed}) AS changed; "
        "GET DIAGNOSTICS added = ROW_COUNT; "
        f"IF (before + added) / {FEED_BLOCK} > before / {FEED_BLOCK} THEN "
        f"DELETE FROM vector_changes WHERE id <= (before + added) / {FEED_BLOCK} * {FEED_BLOCK} - {MAX_ROWS}; END IF;"
    )
    name = f"vector_changes_{table}_{event.lower()}"
    yield from _trigger(name, table, event, body, "before bigint; added bigint;")
