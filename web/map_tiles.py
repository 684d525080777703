"""The server of map tiles that the user names. Without one, the page draws an outline and asks no other host."""

import re
from dataclasses import dataclass

from core.errors import UnsafeServerSettings

__all__ = ["MapTiles"]

PLACEHOLDERS = ("{z}", "{x}", "{y}")

MAX_ATTRIBUTION_LENGTH = 300

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_URL = re.compile(
    rf"""
    (?P<origin> https?:// (?: {_LABEL}(?:\.{_LABEL})* | \[[0-9a-f:.]+\] ) (?: :[0-9]{{1,5}} )? )
    / [A-Za-z0-9._~!$&()*+=:@%/?-]*   # neither ; nor , nor blanks, which separate parts of a header
    """,
    re.VERBOSE,
)
"""A URL with underscores for its placeholders: a path may have them, a host may not."""

_EXAMPLE = "Give a URL such as https://tiles.example.org/{z}/{x}/{y}.png."


@dataclass(frozen=True)
class MapTiles:
    """A server of tiles of 256 pixels in the Web Mercator projection. Raises `UnsafeServerSettings` if it is no URL.

    Attributes:
        template: URL of a tile, with `{z}`, `{x}` and `{y}` for its zoom, column and row.
        attribution: Plain text that the map shows, as the licences of most maps demand.
    """

    template: str
    attribution: str = ""

    def __post_init__(self) -> None:
        if any(self.template.count(placeholder) != 1 for placeholder in PLACEHOLDERS):
            names = ", ".join(PLACEHOLDERS)
            raise UnsafeServerSettings(f"{self._fault} Each of {names} must occur once. {_EXAMPLE}")
        if self._match() is None:
            raise UnsafeServerSettings(
                f"{self._fault} It needs http:// or https://, a host in lower case without a user name, and no "
                f"characters that have to be escaped in a URL. {_EXAMPLE}"
            )
        if len(self.attribution) > MAX_ATTRIBUTION_LENGTH or not self.attribution.isprintable():
            raise UnsafeServerSettings(
                f"The attribution of the map must be one line of at most {MAX_ATTRIBUTION_LENGTH} characters."
            )

    @property
    def origin(self) -> str:
        """The only origin that the tiles come from."""
        found = self._match()
        assert found is not None
        return found["origin"]

    @property
    def _fault(self) -> str:
        return f"{self.template!r} is not a URL of map tiles."

    def _match(self) -> re.Match[str] | None:
        return _URL.fullmatch(re.sub("{[xyz]}", "_", self.template))
