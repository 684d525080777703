"""Names of formats as a library stores them: those of RAW files and of videos."""

__all__ = ["RAW_FORMATS", "VIDEO_FORMATS"]

RAW_FORMATS = ("DNG", "CR2", "CR3", "NEF", "ARW", "RAF", "ORF", "RW2", "PEF", "SRW", "CRW", "X3F", "MRW", "RAW")
"""RAW files of cameras; RAW is the name of all other kinds."""

VIDEO_FORMATS = ("MP4", "MATROSKA", "AVI", "MPEG", "FLV", "WMV", "OGG")
"""Videos. MP4 stands for MP4, MOV and 3GP; MATROSKA for MKV and WebM."""
