"""Tables as classes: types and constraints from annotations, and names in statements."""

import subprocess
import sys
from datetime import datetime

import pytest
from sqlalchemy import BigInteger, ForeignKey, Index, Integer, LargeBinary, MetaData, String, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.schema import CreateIndex, CreateTable

from store.catalog.tables.mapping import Mapped, MappedClass, aliased, mapped_column


class Tables(MappedClass):
    metadata = MetaData(naming_convention={"ix": "ix_%(table_name)s_%(column_0_N_name)s", "pk": "pk_%(table_name)s"})
    type_annotation_map = {int: BigInteger().with_variant(Integer(), "sqlite")}  # noqa: RUF012


class Author(Tables):
    __tablename__ = "authors"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


class Book(Tables):
    """A class with every kind of column."""

    __tablename__ = "books"
    __table_args__ = (Index(None, "title", "pages"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    """A docstring is no column."""
    pages: Mapped[int | None]
    price: Mapped[float]
    lent: Mapped[bool] = mapped_column(default=False)
    printed: Mapped[datetime | None]
    cover: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    isbn: Mapped[str] = mapped_column(String(13), unique=True)
    author_id: Mapped[int] = mapped_column(ForeignKey("authors.id"), index=True)

    @property
    def is_long(self) -> bool:
        return True


def lines(statement: object, dialect: object) -> list[str]:
    return [line.strip(" ,\t") for line in str(statement.compile(dialect=dialect)).splitlines() if line.strip()]  # type: ignore[attr-defined]


def test_columns_have_the_types_of_their_annotations() -> None:
    assert lines(CreateTable(Book.__table__), sqlite.dialect()) == [  # type: ignore[arg-type]
        "CREATE TABLE books (",
        "id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT",
        "title VARCHAR NOT NULL",
        "pages INTEGER",
        "price DOUBLE NOT NULL",
        "lent BOOLEAN NOT NULL",
        "printed DATETIME",
        "cover BLOB",
        "isbn VARCHAR(13) NOT NULL",
        "author_id INTEGER NOT NULL",
        "UNIQUE (isbn)",
        "FOREIGN KEY(author_id) REFERENCES authors (id)",
        ")",
    ]
    in_postgresql = lines(CreateTable(Book.__table__), postgresql.dialect())  # type: ignore[arg-type,no-untyped-call]
    assert {"price DOUBLE PRECISION NOT NULL", "author_id BIGINT NOT NULL"} <= set(in_postgresql)


def test_indexes_are_named() -> None:
    indexes = [str(CreateIndex(index)) for index in Book.__table__.indexes]  # type: ignore[attr-defined]
    assert sorted(indexes) == [
        "CREATE INDEX ix_books_author_id ON books (author_id)",
        "CREATE INDEX ix_books_title_pages ON books (title, pages)",
    ]


def test_classes_stand_for_tables_in_statements() -> None:
    joined = select(Book.title, Author.name).select_from(Book).join(Author)
    assert " ".join(str(joined).split()) == (
        "SELECT books.title, authors.name FROM books JOIN authors ON authors.id = books.author_id"
    )
    changed = update(Book).where(Book.id == 1).values(pages=3)
    assert str(changed) == "UPDATE books SET pages=:pages WHERE books.id = :id_1"
    assert str(select(Author)).split() == ["SELECT", "authors.id,", "authors.name", "FROM", "authors"]


def test_an_alias_is_another_table() -> None:
    other = aliased(Book)
    found = select(Book.id).join(other, other.title == Book.title)
    assert " ".join(str(found).split()) == (
        "SELECT books.id FROM books JOIN books AS books_1 ON books_1.title = books.title"
    )
    with pytest.raises(AttributeError):
        _ = other.nothing  # type: ignore[attr-defined]


def test_nothing_imports_the_orm() -> None:
    """It took a fifth of the processor time of a short command."""
    code = "import sys, cli.searching, cli.indexing, web; print('sqlalchemy.orm' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


TABLES = """
import sys
from types import ModuleType

if sys.argv[1] == "orm":
    from sqlalchemy import orm
    from sqlalchemy.orm.util import AliasedClass
    names = {"MappedClass": orm.DeclarativeBase, "MappedColumn": orm.InstrumentedAttribute, "Mapped": orm.Mapped,
             "aliased": orm.aliased, "mapped_column": orm.mapped_column, "Aliased": AliasedClass}
    sys.modules["store.catalog.tables.mapping"] = stand_in = ModuleType("mapping")
    vars(stand_in).update(names)

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.schema import CreateIndex, CreateTable
from store.catalog.tables import Base

for dialect in (sqlite.dialect(), postgresql.dialect()):
    for table in Base.metadata.sorted_tables:
        print(CreateTable(table).compile(dialect=dialect))
        print(*(CreateIndex(index).compile(dialect=dialect) for index in sorted(table.indexes, key=str)), sep="\\n")
        print([(column.name, type(column.default).__name__, column.autoincrement) for column in table.columns])
"""


def test_the_tables_of_the_catalogue_are_those_of_the_orm() -> None:
    """The classes are checked by mypy as classes of the ORM; their tables must be those that it would make."""
    ours, theirs = (
        subprocess.run([sys.executable, "-c", TABLES, kind], capture_output=True, text=True, check=True).stdout
        for kind in ("core", "orm")
    )
    assert "CREATE TABLE contents" in ours
    assert ours == theirs


def test_a_column_without_a_known_type_is_refused() -> None:
    with pytest.raises(TypeError, match="column size must name its type"):

        class Unknown(Tables):
            __tablename__ = "unknown"

            id: Mapped[int] = mapped_column(primary_key=True)
            size: Mapped[complex]


def test_annotations_that_are_strings_are_refused() -> None:
    """They would be ignored, and the table would have no columns."""
    with pytest.raises(TypeError, match="annotations of Unread are strings"):

        class Unread(Tables):
            __tablename__ = "unread"

            id: "Mapped[int]"
