"""Tables as classes with typed columns, in the notation of SQLAlchemy's ORM.

Statements are the only use that is made of them: there are no sessions and no objects for rows. The classes are
therefore made of tables and columns of SQLAlchemy's Core. Type checkers see those of the ORM, which know the type of
each column. Importing the ORM and configuring its mappers took a fifth of the processor time of a first search.
"""

from datetime import datetime
from types import UnionType
from typing import TYPE_CHECKING, Any, ClassVar, get_args, get_origin

from sqlalchemy import Boolean, Column, DateTime, Double, MetaData, String, Table
from sqlalchemy.sql.schema import SchemaItem
from sqlalchemy.types import TypeEngine

__all__ = ["Aliased", "Mapped", "MappedClass", "MappedColumn", "aliased", "mapped_column"]

if TYPE_CHECKING:
    from sqlalchemy.orm import DeclarativeBase as MappedClass
    from sqlalchemy.orm import InstrumentedAttribute as MappedColumn
    from sqlalchemy.orm import Mapped, aliased, mapped_column
    from sqlalchemy.orm.util import AliasedClass as Aliased
else:
    MappedColumn = Column
    TYPES = {str: String(), float: Double(), bool: Boolean(), datetime: DateTime()}
    """The types of columns whose declaration names none. A base class adds its own in `type_annotation_map`."""

    class Mapped:
        """The annotation of a column: `Mapped[int | None]` can be NULL."""

        def __class_getitem__(cls, annotated: Any) -> "_Annotation":
            return _Annotation(annotated)

    class _Annotation:
        def __init__(self, annotated: Any) -> None:
            is_optional = get_origin(annotated) is UnionType and type(None) in get_args(annotated)
            self.kind = get_args(annotated)[0] if is_optional else annotated
            self.nullable = is_optional

    class _Declared:
        """The arguments of a column, whose name and type are known when its class is made."""

        def __init__(self, *args: Any, **options: Any) -> None:
            self.args, self.options = args, options

        def column(self, name: str, annotation: _Annotation, types: dict[Any, TypeEngine[Any]]) -> Column[Any]:
            args = self.args
            if all(isinstance(arg, SchemaItem) for arg in args) and not any(_is_foreign_key(arg) for arg in args):
                if annotation.kind not in types:
                    raise TypeError(f"the column {name} must name its type: there is none for {annotation.kind}")
                args = (types[annotation.kind], *args)
            return Column(name, *args, **{"nullable": annotation.nullable, **self.options})

    def mapped_column(*args: Any, **options: Any) -> Any:
        """Declare a column, with the arguments of `sqlalchemy.Column` after its name."""
        return _Declared(*args, **options)

    def _is_foreign_key(arg: SchemaItem) -> bool:
        return arg.__visit_name__ == "foreign_key"  # it has the type of what it refers to

    class MappedClass:
        """A table: its columns are attributes, and the class stands for the table in statements."""

        metadata: ClassVar[MetaData]
        type_annotation_map: ClassVar[dict[Any, TypeEngine[Any]]] = {}

        def __init_subclass__(cls) -> None:
            name = cls.__dict__.get("__tablename__")
            if name is None:
                return
            types = {**TYPES, **cls.type_annotation_map}
            if any(isinstance(each, str) for each in cls.__annotations__.values()):
                raise TypeError(f"annotations of {cls.__name__} are strings, so that its columns are unknown")
            annotations = {key: each for key, each in cls.__annotations__.items() if isinstance(each, _Annotation)}
            columns = [cls.__dict__.get(key, _Declared()).column(key, each, types) for key, each in annotations.items()]
            *items, options = (*cls.__dict__.get("__table_args__", ()), {})
            if items and isinstance(items[-1], dict):
                options = items.pop()
            cls.__table__ = Table(name, cls.metadata, *columns, *items, **options)
            for column in columns:
                setattr(cls, column.key, column)

        @classmethod
        def __clause_element__(cls) -> Table:
            return cls.__table__

    class Aliased:
        """A table under another name, for statements that read it twice; its columns are attributes."""

        def __init__(self, table: type[MappedClass]) -> None:
            self._alias = table.__table__.alias()

        def __class_getitem__(cls, _: Any) -> type["Aliased"]:
            return cls

        def __getattr__(self, name: str) -> Column[Any]:
            try:
                return self._alias.c[name]
            except KeyError as exc:
                raise AttributeError(name) from exc

        def __clause_element__(self) -> Any:
            return self._alias

    aliased = Aliased
