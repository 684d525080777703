"""The database file, read without SQLite, which gives up at the first damaged page of a table.

    pages        the pages of the file, with the committed changes of its write-ahead log
    records      the rows and index entries in a page
    salvage      the rows of each table, from the pages that are left
    foreign_log  whether the write-ahead log belongs to the file beside it

The format is documented at https://www.sqlite.org/fileformat2.html.
"""
