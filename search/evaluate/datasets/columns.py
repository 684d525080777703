"""The columns of tables with captions: what they are usually called, or what the user calls them."""

from collections.abc import Mapping, Sequence

from search.evaluate.datasets.base import ReadOptions

__all__ = ["column_names"]

_USUAL_NAMES: Mapping[str, Sequence[str]] = {
    "image": ("image", "image_name", "image_path", "file_name", "filename", "filepath", "path"),
    "file": ("file_name", "filename", "image_name", "image_path", "filepath", "path"),
    "caption": ("caption", "captions", "comment", "text", "caption_text", "sentence", "sentences"),
    "number": ("comment_number", "caption_number"),
    "lang": ("lang", "language"),
    "split": ("split",),
    "id": ("id", "caption_id"),
}


def column_names(present: Sequence[str], options: ReadOptions) -> dict[str, str]:
    """Return role -> name of its column, for the roles that have one: `image`, `caption`, `lang`, `split`, `id`, ...

    `file` is the name of a picture's file, for tables whose column `image` has the picture itself. Names are compared
    without case. The columns that `options` names are used as they are, if they are present.
    """
    by_name = {name.casefold(): name for name in reversed(present)}
    columns = {
        role: by_name[next(name for name in usual if name in by_name)]
        for role, usual in _USUAL_NAMES.items()
        if any(name in by_name for name in usual)
    }
    for role, named in (("image", options.image_column), ("caption", options.caption_column)):
        if named is not None:
            columns.pop(role, None)
            if named in present or named.casefold() in by_name:
                columns[role] = named if named in present else by_name[named.casefold()]
    return columns
