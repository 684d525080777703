"""What is said of pictures beside their pixels, brought up to date: sidecars that changed, facts that were read by an
older version. Only headers and sidecars are read; nothing is decoded or embedded again.

Each page of files is one transaction, so that a run that is killed goes on from there.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from sqlalchemy import Connection

from core.errors import PictureError
from indexer.scan import modified_ns
from pictures.decode import read_header
from pictures.labels import Labels
from pictures.metadata import FACTS_VERSION, Metadata
from pictures.xmp import LARGEST_XMP, read_xmp
from store.catalog.engine import reading, writing
from store.ingest.metadata import FileFacts, OldFacts, old_facts, renew
from store.ingest.sidecars import SidecarFacts, SidecarWork, changed_sidecars, forget_vanished, keep_sidecars
from store.roots import Place

__all__ = ["file_facts", "renew_remarks"]

PAGE = 500
"""Files of one transaction."""


def renew_remarks(connection: Connection, place: Place, workers: int) -> int:
    """Brings them up to date for what the census of `place`, whose connection this is, has seen.

    Returns how many files were read. What cannot be read now is left for the next run.
    """
    with writing(connection):
        forget_vanished(connection, place)
    with ThreadPoolExecutor(workers, thread_name_prefix="sightline-headers") as pool:
        return _renew_facts(connection, place, pool) + _renew_sidecars(connection, place, pool)


def _renew_facts(connection: Connection, place: Place, pool: ThreadPoolExecutor) -> int:
    read, last = 0, 0
    while True:
        with reading(connection):
            works = old_facts(connection, place, FACTS_VERSION, last, PAGE)
        if not works:
            return read
        found = zip(works, pool.map(partial(_facts, place.root), works), strict=True)
        facts = {work.content_id: each for work, each in found if each is not None}
        with writing(connection):
            renew(connection, facts)
        read, last = read + len(facts), works[-1].content_id


def _renew_sidecars(connection: Connection, place: Place, pool: ThreadPoolExecutor) -> int:
    read, last = 0, 0
    while True:
        with reading(connection):
            works = changed_sidecars(connection, place, last, PAGE)
        if not works:
            return read
        found = zip(works, pool.map(partial(_sidecar, place.root), works), strict=True)
        facts = {work.picture_id: each for work, each in found if each is not None}
        with writing(connection):
            keep_sidecars(connection, facts)
        read, last = read + len(facts), works[-1].picture_id


def file_facts(metadata: Metadata) -> FileFacts:
    """Facts and labels as the catalogue keeps them."""
    facts, labels = metadata.facts, metadata.labels
    return FileFacts(
        taken_at=facts.taken_at,
        camera=facts.camera,
        lens=facts.lens,
        latitude=facts.latitude,
        longitude=facts.longitude,
        focal_length=facts.focal_length,
        aperture=facts.aperture,
        exposure=facts.exposure,
        iso=facts.iso,
        rating=labels.rating,
        title=labels.title,
        description=labels.description,
        keywords=labels.keywords,
        facts_version=FACTS_VERSION,
    )


def _facts(root: Path, work: OldFacts) -> FileFacts | None:
    """The facts of the file, if it is still the one that the catalogue knows."""
    try:
        with (root / os.fsdecode(work.relpath)).open("rb") as file:
            status = os.fstat(file.fileno())
            if (status.st_size, modified_ns(status)) != (work.size, work.mtime_ns):
                return None
            return file_facts(read_header(file))
    except (OSError, PictureError):
        return None


def _sidecar(root: Path, work: SidecarWork) -> SidecarFacts | None:
    """What the sidecar says: nothing, where it is no XMP; None when it cannot be read now."""
    try:
        with (root / os.fsdecode(work.relpath)).open("rb") as file:
            status = os.fstat(file.fileno())
            data = file.read(LARGEST_XMP + 1)
    except OSError:
        return None
    try:
        labels = read_xmp(data)
    except PictureError:
        labels = Labels()
    return SidecarFacts(
        relpath=work.relpath,
        size=status.st_size,
        mtime_ns=modified_ns(status),
        rating=labels.rating,
        title=labels.title,
        description=labels.description,
        keywords=labels.keywords,
    )
