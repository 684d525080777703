"""Look up the places of pictures with a position, so that they can be found by the names of cities and countries.

Names of cities in files are looked up as well, so that they are found by their names in other languages.
"""

from indexer.gazetteer import gazetteer_is_installed, gazetteer_name, load_gazetteer
from indexer.summary import Progress
from store.library import Library
from store.places import record_named_places, record_places, unknown_cities, unplaced_contents

__all__ = ["update_places"]


def update_places(library: Library, progress: Progress | None = None) -> int:
    """Look up the positions that are new, have changed, or were looked up in older data; return their number.

    Without the extra for places, nothing is looked up. Each page is one transaction, for which the writer lock is held,
    so that an interrupted run is continued by the next.
    """
    if not gazetteer_is_installed():
        return 0
    name, updated, progress = gazetteer_name(), 0, progress or Progress()
    for page in unplaced_contents(library, name):
        places = load_gazetteer().nearest([(content.latitude, content.longitude) for content in page])
        found = {content.content_id: place for content, place in zip(page, places, strict=True)}
        progress.check()
        with library.exclusive(progress.waiting, progress.check) as writer:
            record_places(writer, name, page, found)
        updated += len(page)
    if names := unknown_cities(library, name):
        named = load_gazetteer().named(names)
        progress.check()
        with library.exclusive(progress.waiting, progress.check) as writer:
            record_named_places(writer, name, named)
    return updated
