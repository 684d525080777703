"""Which files a scan returns."""

from dataclasses import dataclass

from indexer.changed_folders import ChangedFolders

__all__ = ["ScanSettings"]


@dataclass(frozen=True)
class ScanSettings:
    """Which files a scan returns.

    `exclude` contains patterns in gitignore syntax, relative to the root; they take precedence over ignore files.
    Hidden files and folders are those whose name begins with a dot. If `only` is set, no folder is walked: the scan
    returns these files, given relative to the root, as far as they exist. With `pairs`, a RAW file and the moving part
    of a Live Photo belong to the JPEG or HEIC picture beside them; without, each is a picture of its own. If `changed`
    is set, other folders are not opened. Paths with more than `longest_path` bytes are left out and reported.
    """

    exclude: tuple[str, ...] = ()
    include_hidden: bool = False
    follow_links: bool = False
    only: frozenset[bytes] | None = None
    pairs: bool = True
    changed: ChangedFolders | None = None
    longest_path: int | None = None
