"""The library: a catalogue in SQLite or PostgreSQL, and one FAISS index file for each embedding space.

Functions that read take a `Library`; functions that change a library take the `Writer` that `Library.exclusive` yields.
Tags and albums are exceptions: they take a `Library` and never wait for an index run.

    store.library           opening, creating and locking; transactions
    store.roots             the folders of a library
    store.queries           contents and files, for showing them
    store.tags              tags of users, files, sidecars and models
    store.albums            saved searches, and albums put together by hand
    store.backup            snapshots of user data
    store.forget            removing pictures
    store.check             verify and repair
    store.ingest            writing the results of an index run
    store.filters           conditions on pictures, compiled to SQL
    store.spaces            embedding spaces, their vectors and index files
    store.near_duplicates   groups of near-duplicates
    store.exchange          importing and exporting vectors
    store.catalog           tables, engine and migrations
"""

from store.library import Library, Writer

__all__ = ["Library", "Writer"]
