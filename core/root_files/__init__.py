"""The files of roots: folders of this machine, and objects in a store.

files = root_files(Path("/photos"))
for entry in files.list_folder(b"2024").entries:
    ...
"""

from core.root_files.interface import FilesListing, FileStatus, FolderEntry, RootFiles
from core.root_files.opened_object import OpenedObject
from core.root_files.opening import file_status, is_folder, open_file, root_files, status_of

__all__ = [
    "FileStatus",
    "FilesListing",
    "FolderEntry",
    "OpenedObject",
    "RootFiles",
    "file_status",
    "is_folder",
    "open_file",
    "root_files",
    "status_of",
]
