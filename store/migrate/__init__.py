"""Copying a library from one database to another one, such as from SQLite to PostgreSQL or back, with nothing lost.

store.migrate.carried_tables   the tables that are copied, and whether a library is empty
store.migrate.copying          copying the rows of a table, and comparing them afterwards
store.migrate.local_files      judgements and snapshots, which are files
store.migrate.target_folder    whether a folder may become a library
store.migrate.migrating        the order of all of it
"""
