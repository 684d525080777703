"""Snapshots: user data (tags, ratings, albums, judgements, verdicts) in small text files, to restore it from.

Vectors and facts can be computed again from the pictures. Tags and ratings by users, albums, verdicts on
near-duplicates and judgements cannot. docs/backup.md describes the format.

store.backup.records           the lines of a snapshot
store.backup.snapshot_file     writing a snapshot, and reading one after all of it has been checked
store.backup.collecting        from the catalogue to records
store.backup.snapshot_folder   the snapshots of a library: names, and how long each is kept
store.backup.taking            writing a snapshot, if anything changed since the last one
store.backup.matching          the pictures of a library that records mean
store.backup.restoring         from records to the catalogue
"""
