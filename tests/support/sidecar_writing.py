"""Short names for saying something about pictures, and for writing it into their sidecars."""

from pathlib import Path

from indexer.xmp_writing import SidecarOutcome, WriteSettings, write_sidecars
from search.filters import And, FieldTest, Op
from store import Library
from store.catalog.tables import TagSource
from store.filters.selection import matching_ids
from store.tags import Tagging, add_tags, remove_tags, tags_of
from store.written_sidecars import said_files

__all__ = ["ids_of", "listing", "tag", "tags_from", "untag", "write", "xmp"]


XMP = """<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/">
{rating}<dc:subject><rdf:Bag>{items}</rdf:Bag></dc:subject></rdf:Description></rdf:RDF></x:xmpmeta>"""


def xmp(*keywords: str, stars: int | None = None) -> str:
    """Return a sidecar with these keywords, and with a rating if `stars` is given."""
    rating = "" if stars is None else f"<xmp:Rating>{stars}</xmp:Rating>"
    return XMP.format(items="".join(f"<rdf:li>{keyword}</rdf:li>" for keyword in keywords), rating=rating)


def ids_of(library: Library, *paths: Path) -> list[int]:
    """Return the contents of the files at or below these paths."""
    return [content_id for path in paths for content_id in matching_ids(library, FieldTest("folder", Op.EQ, path))]


def tag(library: Library, path: Path, *names: str) -> None:
    """Add tags to the pictures at or below a path."""
    add_tags(library, [Tagging(content_id, name) for content_id in ids_of(library, path) for name in names])


def untag(library: Library, path: Path, *names: str) -> None:
    """Remove tags from the pictures at or below a path."""
    remove_tags(library, ids_of(library, path), names)


def write(library: Library, **settings: bool) -> dict[str, SidecarOutcome]:
    """Write all sidecars; return the outcomes by the names of the pictures."""
    files = said_files(library, matching_ids(library, And(())))
    return {outcome.picture.name: outcome for outcome in write_sidecars(library, files, WriteSettings(**settings))}


def listing(folder: Path) -> dict[str, bytes]:
    """Return all files below a folder with their bytes."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def tags_from(library: Library, path: Path, source: TagSource) -> list[str]:
    """Return the tags that the picture at a path has from a source."""
    (content_id,) = ids_of(library, path)
    return [record.name for record in tags_of(library, [content_id])[content_id] if record.source is source]
