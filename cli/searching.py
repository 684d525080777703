"""`sightline search` and `sightline similar`."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

import click

from cli.language_advice import warn_of_weak_language
from cli.options import FilterOptions, OutputOptions, QueryOptions, RankingOptions
from cli.output import print_json, shown, warn
from cli.query_building import add_condition, build_filters, build_query, build_search_options, query_line
from cli.results import FOUND, NOTHING_FOUND, hit_record, print_hits, print_next_page
from cli.suggestions import command
from core.errors import EmptyQuery, InvalidQuery, RelevanceNotCalibrated
from core.notices import Notice
from core.text_files import encoding_name, iterate_lines
from encoders.placement import Placement
from search import Answer, Crop, Filters, ImageInput, Part, Query, Searcher, SearchOptions
from search.browse import browse
from search.query_language import filter_notices, query_notices
from search.relevance import TEXT_KINDS
from store import Library
from store.spaces.coverage import coverage

__all__ = ["SearchArguments", "run_search", "run_similar"]

BATCH_SIZE = 256
"""Queries of a file that are ranked in one pass over the index."""


@dataclass(frozen=True)
class SearchArguments:
    """The values of `sightline search`."""

    query: QueryOptions
    filters: FilterOptions
    ranking: RankingOptions
    output: OutputOptions
    library: Path
    space: str | None
    placement: Placement
    highlight: Path | None
    explain: bool
    interactive: bool
    queries: BinaryIO | None

    def given(self, **values: bool) -> list[str]:
        """Return the flags in use that need one ranked list of hits: `values` first, then those of the arguments."""
        values = {**values, "--parts": self.explain, "--highlight": self.highlight is not None}
        return [flag for flag, is_given in values.items() if is_given]


def run_search(arguments: SearchArguments) -> int:
    """Answer a query or a file of queries, or run an interactive search; return the exit code."""
    filters, query = build_filters(arguments.filters), None
    if arguments.queries is None:
        query, condition = build_query(arguments.query)
        filters = add_condition(filters, condition)
    _check_mode(arguments)
    with Library.open(arguments.library) as library:
        if arguments.queries is None and query is None:
            code = _list_pictures(library, filters, arguments)
            _warn_all(_notices(arguments))
            return code
        searcher = open_searcher(library, arguments.space, arguments.placement)
        if query is None or query.kind in TEXT_KINDS:
            _calibrate(searcher)
        options = build_search_options(arguments.ranking, filters, arguments.query, explain=arguments.explain)
        if query is None:
            assert arguments.queries is not None
            code = _answer_file(searcher, arguments.queries, arguments, options)
        elif arguments.interactive:
            from cli.interactive import Dialogue

            code = Dialogue(searcher, query, options).run()
        else:
            code = _print_answer(searcher, query, options, arguments)
        heal_index(searcher)
        _warn_all(_notices(arguments))
        if query is not None:
            warn_of_weak_language(library.path, searcher, query)
    return code


def _notices(arguments: SearchArguments) -> list[Notice]:
    """Return notices about words and filters that may be read otherwise than meant."""
    line = "" if arguments.query.plain else query_line(arguments.query.words)
    return [*query_notices(line), *(notice for text in arguments.filters.conditions for notice in filter_notices(text))]


def run_similar(
    image: str,
    crop: str | None,
    filters: FilterOptions,
    ranking: RankingOptions,
    output: OutputOptions,
    *,
    frame: int,
    library: Path,
    space: str | None,
    placement: Placement,
    highlight: Path | None,
) -> int:
    """Print the pictures most similar to a frame of `image`, a file or the ID of a document; return the exit code."""
    options = build_search_options(ranking, build_filters(filters))
    region = None if crop is None else Crop.parse(crop)
    with Library.open(library) as opened:
        searcher = open_searcher(opened, space, placement)
        answer = _similar(searcher, image, options, region, frame)
        code = print_hits(f"like {shown(Path(Path(image).name))}", answer.hits, output, _limits(options))
        _warn_if_nothing_fits(answer, options, output)
        if ranking.page is not None:
            print_next_page(answer.next_cursor, as_json=output.as_json)
        if highlight is not None:
            from cli.highlighting import write_hit_overlays

            query = Query((Part(ImageInput(Path(image), region, frame)),))
            write_hit_overlays(highlight, answer.hits, query, searcher, options)
        heal_index(searcher)
    return code


def _similar(searcher: Searcher, image: str, options: SearchOptions, region: Crop | None, frame: int) -> Answer:
    """Search for pictures like `image`; a number that is no file gets a hint at `like:ID`."""
    try:
        return searcher.similar(image, options, crop=region, frame=frame)
    except InvalidQuery as exc:
        if not image.isdecimal() or Path(image).exists():
            raise
        raise InvalidQuery(
            f"{exc}. {command(f'search like:{image}')} finds pictures like the one with this ID."
        ) from exc


def open_searcher(library: Library, space: str | None, placement: Placement) -> Searcher:
    """Return a searcher of a space, with a warning if a space chosen by name does not cover all pictures."""
    searcher = Searcher(library, space=space, placement=placement)
    if space is not None and not searcher.space.space.is_imported:
        covered = coverage(library, searcher.space)
        if covered.embedded < covered.pictures:
            warn(f"{searcher.space.space} covers {covered.embedded:,} of {covered.pictures:,} pictures")
    return searcher


def _calibrate(searcher: Searcher) -> None:
    """Calibrate the texts of a model without a calibration, or wait for the process that does."""
    if not searcher.needs_calibration:
        return
    model = searcher.space.space.title
    if searcher.is_calibrating:
        warn(f"another process is calibrating the relevance of {model}; waiting for it to finish")
    else:
        warn(f"calibrating the relevance of {model}, once; this can take a minute")
    searcher.calibrate()
    if searcher.calibration_failure is not None:
        warn(
            f"the relevance of {model} could not be calibrated ({searcher.calibration_failure}). Results are only "
            f"ranked. {command('status')} shows how to try again."
        )


def _limits(options: SearchOptions) -> list[str]:
    """Return the options in use that exclude pictures from an answer."""
    limits = {
        "these filters": bool(options.filters),
        "--min-score": options.min_score is not None,
        "--relevant": options.relevant,
    }
    return [name for name, is_set in limits.items() if is_set]


def heal_index(searcher: Searcher) -> None:
    """Rebuild an index file that could not be used; called after the answer, so that it does not wait."""
    is_healed = searcher.heal()
    if searcher.fault is not None:
        remedy = "it was rebuilt from the catalogue" if is_healed else f"{command('repair')} rebuilds it"
        warn(f"{searcher.fault}; the answer is correct, and {remedy}")


def _check_mode(arguments: SearchArguments) -> None:
    """Refuse options without effect: `--queries` prints only JSON, `--interactive` only lines."""
    if arguments.queries is None and not arguments.interactive:
        return
    mode = "--interactive" if arguments.queries is None else "--queries"
    given = arguments.output.given + (["--page"] if arguments.ranking.page is not None else [])
    given += arguments.given(**{"--interactive": arguments.interactive and arguments.queries is not None})
    if mode == "--queries" and "--json" in given:
        given.remove("--json")
    if given:
        raise click.UsageError(f"{mode} cannot be combined with {', '.join(given)}.")


def _list_pictures(library: Library, filters: Filters, arguments: SearchArguments) -> int:
    """Print a page of the pictures that match filters alone, newest first."""
    if not filters:
        raise EmptyQuery(has_negative_parts=False)
    ranking = arguments.ranking
    given = arguments.given(
        **{
            "--min-score": ranking.min_score is not None,
            "--relevant": ranking.relevant,
            "--diverse": ranking.diverse is not None,
            "--every-frame": ranking.every_frame,
            "--exact": ranking.exact,
            "--text-weight": ranking.text_weight > 0,
            "--interactive": arguments.interactive,
        }
    )
    if given:
        raise click.UsageError(f"{', '.join(given)} requires words or a picture: filters alone do not rank pictures.")
    title = " ".join([query_line(arguments.query.words), *arguments.filters.conditions]).strip()
    page = browse(library, ranking.top, filters, ranking.cursor)
    code = print_hits(title or "The newest", page.pictures, arguments.output, ["these filters"])
    if ranking.page is not None:
        print_next_page(page.next_cursor, as_json=arguments.output.as_json)
    return code


def _print_answer(searcher: Searcher, query: Query, options: SearchOptions, arguments: SearchArguments) -> int:
    answer = searcher.search(query, options)
    _warn_all(answer.notices)
    code = print_hits(query.title, answer.hits, arguments.output, _limits(options))
    _warn_if_nothing_fits(answer, options, arguments.output)
    if arguments.ranking.page is not None:
        print_next_page(answer.next_cursor, as_json=arguments.output.as_json)
    if arguments.highlight is not None:
        from cli.highlighting import write_hit_overlays

        write_hit_overlays(arguments.highlight, answer.hits, query, searcher, options)
    return code


def _warn_if_nothing_fits(answer: Answer, options: SearchOptions, output: OutputOptions) -> None:
    """Report on the first page that all of its hits are probably wrong; a nearest picture always exists."""
    is_first = bool(answer.hits) and options.cursor is None
    if is_first and not output.as_json and all(hit.is_relevant is False for hit in answer.hits):
        warn("probably no picture matches; these are the nearest ones")


def _answer_file(searcher: Searcher, file: BinaryIO, arguments: SearchArguments, options: SearchOptions) -> int:
    """Answer each non-empty line of a file with one JSON object, in order; return the exit code.

    Names of files need not be UTF-8, texts must be. Raises `InvalidQuery` with the number of the first invalid line,
    after the lines before it have been answered.
    """
    if options.sort != "relevance" or options.cursor is not None or options.diverse is not None:
        raise click.UsageError("--queries ranks by relevance and prints one page per query.")
    own = arguments.query
    if own.words or own.images or own.like or own.more or own.less:
        raise click.UsageError("--queries reads all queries from the file: leave out words and pictures.")
    found = False
    batch: list[_NumberedQuery] = []
    for number, line in enumerate(_query_lines(file), start=1):
        name, tab, text = line.partition("\t")
        words = text if tab else name
        if not words.strip():
            continue
        try:
            query, condition = build_query(own, words)
            if query is None:
                raise InvalidQuery("A query of filters alone ranks nothing: add words.")
        except InvalidQuery as exc:
            found |= _answer_batch(searcher, batch, options)
            is_text = not any("\ud800" <= char <= "\udfff" for char in words)
            raise InvalidQuery(f"Line {number}: {exc if is_text else 'not UTF-8; save the file as UTF-8'}") from exc
        if not own.plain:
            _warn_all(f"line {number}: {notice}" for notice in query_notices(words))
        batch.append(
            _NumberedQuery(number, name if tab else str(number), query, add_condition(options.filters, condition))
        )
        if len(batch) == BATCH_SIZE:
            found |= _answer_batch(searcher, batch, options)
            batch = []
    found |= _answer_batch(searcher, batch, options)
    return FOUND if found else NOTHING_FOUND


def _query_lines(file: BinaryIO) -> Iterator[str]:
    """Yield the lines of a file of queries. Raises `InvalidQuery` for damaged UTF-16."""
    try:
        yield from iterate_lines(file, "surrogateescape")
    except UnicodeDecodeError as exc:
        raise InvalidQuery(f"The queries are not {encoding_name(exc.encoding)}; save the file as UTF-8.") from exc


@dataclass(frozen=True)
class _NumberedQuery:
    number: int
    name: str
    query: Query
    filters: Filters


def _answer_batch(searcher: Searcher, batch: list[_NumberedQuery], options: SearchOptions) -> bool:
    """Print the answers to a batch of queries; return whether anything was found.

    Raises `InvalidQuery` for a query that `--relevant` cannot judge, after those before it have been answered.
    """
    try:
        answers = searcher.search_many([(entry.query, replace(options, filters=entry.filters)) for entry in batch])
    except RelevanceNotCalibrated as exc:
        if exc.model and not exc.kind:
            raise
        first = next(row for row, entry in enumerate(batch) if entry.query.kind == exc.kind)
        _answer_batch(searcher, batch[:first], options)
        raise InvalidQuery(f"Line {batch[first].number}: {exc}") from exc
    for entry, answer in zip(batch, answers, strict=True):
        _warn_all(f"line {entry.number}: {notice}" for notice in answer.notices)
        hits = [hit_record(hit) for hit in answer]
        print_json({"number": entry.number, "id": entry.name, "query": str(entry.query), "hits": hits})
    return any(answers)


def _warn_all(notices: Iterable[Notice | str]) -> None:
    for notice in notices:
        warn(str(notice))
