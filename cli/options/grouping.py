"""Groups of options whose values reach a command as one dataclass."""

from collections.abc import Callable, Sequence
from dataclasses import fields
from functools import wraps
from typing import Any, TypeVar

__all__ = ["Command", "Decorator", "option_group"]

Command = TypeVar("Command", bound=Callable[..., Any])
Decorator = Callable[[Any], Any]


def option_group(parameter: str, kind: type[Any], options: Sequence[Decorator]) -> Callable[[Command], Command]:
    """Return a decorator that adds `options` to a command and passes their values to it as one object.

    The command receives an instance of the dataclass `kind` as the keyword argument `parameter`; each field takes the
    value of the option of that name.
    """
    names = [field.name for field in fields(kind)]

    def decorate(command: Command) -> Command:
        @wraps(command)
        def run(*args: Any, **values: Any) -> Any:
            group = kind(**{name: values.pop(name) for name in names})
            return command(*args, **{parameter: group}, **values)

        for option in reversed(options):
            run = option(run)
        return run  # type: ignore[return-value]

    return decorate
