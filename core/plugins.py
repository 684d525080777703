"""Plug-in tables: the built-in implementations of one kind, and those that other packages add by entry points."""

from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Generic, TypeVar

from core.errors import PluginError

__all__ = ["PluginTable"]

T = TypeVar("T")


class PluginTable(Generic[T]):
    """Named implementations of one extension point.

    `built_in` maps a name to `"module:attribute"`, which is imported when the name is first requested. A name that is
    not in it is looked up among the entry points of `group`, so that a package adds an implementation with

        [project.entry-points."sightline.encoders"]
        my-model = "my_package:load"

    `accepts` returns whether a loaded object is usable.
    """

    def __init__(self, group: str, built_in: Mapping[str, str], accepts: Callable[[object], bool] = callable) -> None:
        self.group = group
        self._built_in = dict(built_in)
        self._accepts = accepts
        self._loaded: dict[str, T] = {}

    def built_in(self) -> tuple[str, ...]:
        """The names of the built-in implementations, in their order."""
        return tuple(self._built_in)

    def names(self) -> tuple[str, ...]:
        """Every name: the built-in ones in their order, then those of plug-ins, sorted."""
        return (*self._built_in, *(point.name for point in self.plugins()))

    def plugins(self) -> tuple[EntryPoint, ...]:
        """Return the entry points of the installed plug-ins, sorted by name. None of them is loaded."""
        points = {point.name: point for point in self._entry_points() if point.name not in self._built_in}
        return tuple(points[name] for name in sorted(points))

    def get(self, name: str) -> T | None:
        """The implementation called `name`, or None if there is none.

        Raises `PluginError` if a plug-in cannot be imported, has the wrong type, or is a class with abstract methods.
        """
        if name not in self._loaded:
            found = self._find(name)
            if found is None:
                return None
            self._loaded[name] = found
        return self._loaded[name]

    def _find(self, name: str) -> T | None:
        if name in self._built_in:
            module, _, attribute = self._built_in[name].partition(":")
            built_in: T = getattr(import_module(module), attribute)
            return built_in
        for point in self._entry_points():
            if point.name == name:
                return self._load(point)
        return None

    def _load(self, point: EntryPoint) -> T:
        try:
            loaded: T = point.load()
        except Exception as exc:  # a plug-in may raise anything while it is imported
            raise PluginError(self.group, point.name, point.value, f"{type(exc).__name__}: {exc}") from exc
        if not self._accepts(loaded):
            raise PluginError(self.group, point.name, point.value, f"unexpected type {type(loaded).__name__}")
        if missing := getattr(loaded, "__abstractmethods__", None):
            raise PluginError(self.group, point.name, point.value, f"missing methods: {', '.join(sorted(missing))}")
        return loaded

    def _entry_points(self) -> Iterator[EntryPoint]:
        yield from entry_points(group=self.group)
