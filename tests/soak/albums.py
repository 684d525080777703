"""Changes of albums that are killed."""

from tests.soak.checked_library import CheckedLibrary
from tests.soak.said import Said

__all__ = ["change_album"]


def change_album(library: CheckedLibrary) -> None:
    """Create, save, extend, reorder, cover, rename or drop an album."""
    after, names = library.said.copy(), sorted(library.said.albums)
    numbers = library.some(4)
    paths = [library.photos.path(number) for number in numbers]
    what = library.chance.choice(("create", "save", "add", "remove", "order", "cover", "rename", "drop"))
    new = f"album {library.chance.randrange(10**6)}"
    if what == "save":
        after.searches[new] = "red"
        library.run(after, "album", "save", new, "red")
        return
    if what == "create" or len(names) < 3:
        after.albums[new] = list(numbers)
        library.run(after, "album", "create", new, *paths)
        return
    name = library.chance.choice(names)
    if what == "add":
        after.albums[name] += [number for number in numbers if number not in after.albums[name]]
        library.run(after, "album", "add", name, *paths)
    elif what == "rename":
        _rename(after, name, new)
        library.run(after, "album", "rename", name, new)
    elif what == "drop":
        del after.albums[name]
        after.covers.pop(name, None)
        library.run(after, "album", "drop", name)
    else:
        _change_picture(library, after, what, name)


def _rename(after: Said, name: str, new: str) -> None:
    after.albums[new] = after.albums.pop(name)
    if name in after.covers:
        after.covers[new] = after.covers.pop(name)


def _change_picture(library: CheckedLibrary, after: Said, what: str, name: str) -> None:
    """Remove a picture from an album, put it first, or make it the cover."""
    members = after.albums[name]
    present = [number for number in members if number in library.photos.files and number not in library.stale]
    if not present:
        return
    number = library.chance.choice(present)
    if what == "cover":
        after.covers[name] = number
    else:
        members.remove(number)
        if what == "order":
            members.insert(0, number)
        elif after.covers.get(name) == number:
            del after.covers[name]
    library.run(after, "album", what, name, library.photos.path(number))
