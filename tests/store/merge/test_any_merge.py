"""Merges of libraries that were made at random keep all that both have, although files change in between."""

import hashlib
import os
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from random import Random
from typing import NamedTuple

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import select

from encoders.fake import FakeEncoder
from indexer import index
from store import Library
from store.catalog.tables import Content, ContentTag, Embedding, Picture, PictureState, Root, Tag
from store.check import verify
from store.merge.merging import MergeReport, MergeSettings, merge
from store.tags import Tagging, add_tags

NAMES = [f"{folder}p{number}.png" for folder in ("", "a/", "b/c/") for number in range(8)]


class State(NamedTuple):
    """What a library has: digests are the first digits of SHA-256."""

    files: dict[str, tuple[str, str | None]]
    """Path -> state and digest."""
    tags: set[tuple[str, str]]
    """Digest and name."""
    vectors: set[str]


@pytest.mark.parametrize("seed", range(4))
def test_a_merge_of_any_libraries_keeps_what_both_have(make: Callable[..., Library], tmp_path: Path, seed: int) -> None:
    random, photos = Random(seed), tmp_path / "photos"
    contents = [*(noise(number) for number in range(10)), b"no picture"]
    one, other = (photos / random.choice(["", "", "a", "b"]) for _ in range(2))
    for folder in (photos / "a", photos / "b" / "c"):
        folder.mkdir(parents=True)
    change(random, photos, contents)
    library = make("one", one)
    say(random, library)
    change(random, photos, contents)
    added = make("other", other)
    say(random, added)
    change(random, photos, contents)

    here, there = state_of(library), state_of(added)
    planned = merge(library, added, MergeSettings(dry_run=True, force=True))
    assert state_of(library) == here
    done = merge(library, added, MergeSettings(force=True))
    assert numbers_of(planned) == numbers_of(done)
    assert state_of(added) == there
    merged = state_of(library)
    assert merged.files.keys() == here.files.keys() | there.files.keys()
    for path, record in merged.files.items():
        records = [each.files[path] for each in (here, there) if path in each.files]
        assert record in records
        now = digest_of(path)
        if now in [digest for _, digest in records]:
            assert record[1] == now, "of two records, that of the file counts"
    known = {digest for _, digest in merged.files.values()}
    assert here.tags | {tag for tag in there.tags if tag[0] in known} <= merged.tags
    assert here.vectors | (there.vectors & known) <= merged.vectors
    assert list(verify(library)) == []

    assert merge(library, added, MergeSettings(force=True)).contents == 0
    assert state_of(library) == merged
    with library.read() as connection:
        roots = [Path(os.fsdecode(path)) for path in connection.execute(select(Root.path)).scalars()]
    index(library, roots, FakeEncoder())
    for path, (state, digest) in state_of(library).files.items():
        assert (state == PictureState.MISSING) == (digest_of(path) is None)
        if state == PictureState.PRESENT:
            assert digest == digest_of(path)
    assert list(verify(library)) == []


def noise(seed: int) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 255, (12, 16, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(file := BytesIO(), "PNG")
    return file.getvalue()


def change(random: Random, photos: Path, contents: list[bytes]) -> None:
    """Write and delete some files."""
    for name in random.sample(NAMES, 10):
        if random.random() < 0.7:
            (photos / name).write_bytes(random.choice(contents))
        else:
            (photos / name).unlink(missing_ok=True)


def say(random: Random, library: Library) -> None:
    with library.read() as connection:
        ids = list(connection.execute(select(Content.id)).scalars())
    add_tags(library, [Tagging(content_id, random.choice("uvw")) for content_id in ids if random.random() < 0.5])


def state_of(library: Library) -> State:
    with library.read() as connection:
        files = (
            select(Root.path, Picture.relpath, Picture.state, Content.digest)
            .join(Root, Root.id == Picture.root_id)
            .outerjoin(Content, Content.id == Picture.content_id)
        )
        tags = select(Content.digest, Tag.name).join(ContentTag, ContentTag.content_id == Content.id).join(Tag)
        vectors = select(Content.digest).join(Embedding, Embedding.content_id == Content.id)
        return State(
            {
                os.fsdecode(row.path + b"/" + row.relpath): (row.state, row.digest and row.digest.hex()[:8])
                for row in connection.execute(files)
            },
            {(row.digest.hex()[:8], row.name) for row in connection.execute(tags)},
            {digest.hex()[:8] for digest in connection.execute(vectors).scalars()},
        )


def digest_of(path: str) -> str | None:
    try:
        return hashlib.sha256(Path(path).read_bytes()).hexdigest()[:8]
    except FileNotFoundError:
        return None


def numbers_of(report: MergeReport) -> tuple[object, ...]:
    return report.contents, report.pictures, report.vectors
