"""Options that several commands share, and the dataclasses in which commands receive their values."""

from cli.options.filters import FilterOptions, filter_options
from cli.options.library import (
    GlobalOptions,
    json_option,
    library_option,
    library_path,
    named_library,
    placement_options,
    space_option,
)
from cli.options.output import OutputOptions, RankingOptions, highlight_option, output_options, ranking_options
from cli.options.query import QueryOptions, crop_option, frame_option, query_options
from cli.options.selection import PictureSelection, selection_options
from cli.options.server import ServerOptions, server_options

__all__ = [
    "FilterOptions",
    "GlobalOptions",
    "OutputOptions",
    "PictureSelection",
    "QueryOptions",
    "RankingOptions",
    "ServerOptions",
    "crop_option",
    "filter_options",
    "frame_option",
    "highlight_option",
    "json_option",
    "library_option",
    "library_path",
    "named_library",
    "output_options",
    "placement_options",
    "query_options",
    "ranking_options",
    "selection_options",
    "server_options",
    "space_option",
]
