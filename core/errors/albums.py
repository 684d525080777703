"""Errors about tags and albums."""

from core.errors.base import SightlineError, first_names

__all__ = [
    "AlbumExists",
    "AlbumIsSearch",
    "InvalidTag",
    "NotInAlbum",
    "UnknownAlbum",
]


class InvalidTag(SightlineError):
    """`text` cannot name a tag or an album: it contains no letter or digit."""

    def __init__(self, text: str) -> None:
        super().__init__(f"{text!r} is not a valid name: it needs at least one letter.")
        self.text = text


class UnknownAlbum(SightlineError):
    """No album is called `name`; `known` are the existing names."""

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        choices = f"Choose from: {first_names(known)}." if known else "There are no albums."
        super().__init__(f"Album {name!r} not found. {choices}")
        self.name, self.known = name, known


class AlbumExists(SightlineError):
    """An album with this `name` exists already. Names are unique over saved searches and albums by hand."""

    def __init__(self, name: str) -> None:
        super().__init__(f"An album called {name!r} exists already. Choose another name, or delete that album.")
        self.name = name


class AlbumIsSearch(SightlineError):
    """The album `name` is a saved search, so that pictures cannot be added, removed or moved."""

    def __init__(self, name: str) -> None:
        super().__init__(f"The album {name!r} is a saved search. Its query decides which pictures it contains.")
        self.name = name


class NotInAlbum(SightlineError):
    """The album `name` does not contain the picture with the ID `content_id`."""

    def __init__(self, name: str, content_id: int) -> None:
        super().__init__(f"The album {name!r} does not contain the picture with the ID {content_id}.")
        self.name, self.content_id = name, content_id
