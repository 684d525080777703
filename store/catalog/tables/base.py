"""The base class of all tables."""

from typing import Any, ClassVar

from sqlalchemy import BigInteger, Integer, MetaData

from store.catalog.tables.mapping import MappedClass

__all__ = ["Base"]


class Base(MappedClass):
    """Base class of all tables. Every constraint gets a name, so that migrations can refer to it."""

    type_annotation_map: ClassVar[dict[Any, Any]] = {int: BigInteger().with_variant(Integer(), "sqlite")}
    """SQLite's integers have 64 bits under any name, but only an `INTEGER` can be the number of a row."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
