"""The tables of a library's catalogue. The catalogue is authoritative; index files are derived from it.

A *content* is a sequence of bytes, identified by its SHA-256; a *picture* is a file with that content. Embeddings
belong to contents, so copies share one vector, and a file that is moved or restored keeps its vector.

    roots 1──* pictures *──1 contents 1──* embeddings *──1 spaces 1──1 index_generations
                  └──1 failures         ├──* vector_failures *──1 spaces
                                        └──1 likenesses (perceptual hashes)

A content has one *frame* or several, such as pages. Its first frame, the only one of a still picture, is embedded in
`embeddings`. The tables `frames` and `frame_embeddings` have rows only for contents with several frames.

    contents 1──* frames 1──* frame_embeddings *──1 spaces

Tags given by a user or a model, and keywords embedded in a file, belong to the content: copies share them. The metadata
in a sidecar file belongs to the one picture next to it.

    contents 1──* content_tags *──1 tags 1──* picture_tags *──1 pictures 1──1 sidecars
    pictures 1──1 written_sidecars (what Sightline added to the sidecar file)
    contents 1──* people (names, and the areas of their faces)
    contents 1──1 content_places *──1 places 1──* place_names

Text that was read in pictures belongs to the frames of a content.

    contents 1──1 text_readings
    contents 1──* text_frames (and the full-text index text_index) 1──* text_lines

What people put together, and what they told apart, belongs to contents too.

    albums 1──* album_contents *──1 contents 1──* distinct_pairs *──1 contents
    roots 1──* replaced_contents *──1 contents (until the run is complete that found other contents in their place)

Files that a scan did not take are counted by folder and type.

    roots 1──* passed_over

Counts are kept for blocks of contents, and hold while the version of a block is that for which they were counted.

    content_blocks 1──* kept_counts

Long-running work waits in `jobs`, which refers to no other table.
"""

from store.catalog.tables.base import Base
from store.catalog.tables.contents import (
    Content,
    ContentPlace,
    FrameRow,
    NamedPlace,
    PerceptualHashRow,
    PersonRow,
    PlaceName,
    PlaceRow,
    TextFrame,
    TextLineRow,
    TextReadingRow,
)
from store.catalog.tables.files import (
    Failure,
    PassedOver,
    Picture,
    PictureState,
    Root,
    RootKind,
    Sidecar,
    WrittenSidecar,
)
from store.catalog.tables.library import BLOCK_SIZE, ContentBlock, JobRow, KeptCounts, LibraryState
from store.catalog.tables.organising import (
    Album,
    AlbumContent,
    ContentTag,
    DistinctPair,
    PictureTag,
    ReplacedContent,
    Tag,
    TagSource,
)
from store.catalog.tables.spaces import (
    Embedding,
    FrameEmbedding,
    IndexGeneration,
    SpaceRow,
    UnreadFrames,
    VectorChange,
    VectorFailure,
)

__all__ = [
    "BLOCK_SIZE",
    "Album",
    "AlbumContent",
    "Base",
    "Content",
    "ContentBlock",
    "ContentPlace",
    "ContentTag",
    "DistinctPair",
    "Embedding",
    "Failure",
    "FrameEmbedding",
    "FrameRow",
    "IndexGeneration",
    "JobRow",
    "KeptCounts",
    "LibraryState",
    "NamedPlace",
    "PassedOver",
    "PerceptualHashRow",
    "PersonRow",
    "Picture",
    "PictureState",
    "PictureTag",
    "PlaceName",
    "PlaceRow",
    "ReplacedContent",
    "Root",
    "RootKind",
    "Sidecar",
    "SpaceRow",
    "Tag",
    "TagSource",
    "TextFrame",
    "TextLineRow",
    "TextReadingRow",
    "UnreadFrames",
    "VectorChange",
    "VectorFailure",
    "WrittenSidecar",
]
