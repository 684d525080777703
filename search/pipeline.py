"""The search pipeline: from a query to its answer, in one embedding space.

    Searcher.search -> run_query -> run_queries
        QueryEmbedder.embed     the query as a unit vector
        _candidates             the content IDs that pass the filters
        _ranking_request        the minimum score, and where the page starts
        rank_many               nearest neighbours in the requested order, as hits
        _answer
            _with_relevance     the probability that each hit is right, and a verdict
            _page               the first k hits, and the cursor of the next page
            _with_parts         the similarity to each part of the query, and its share of the score
            with_texts          the lines of text that the search found
            with_near_duplicates

Each step is called once per query; `run_queries` shares the filters and the pass of the index among its queries.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from core.errors import RelevanceNotCalibrated
from core.notices import Notice
from search.active_space import ActiveSpace
from search.near_duplicates import with_near_duplicates
from search.options import SearchOptions
from search.paging import Cursor, CursorPosition, query_digest
from search.query import Query, TextInput
from search.query_embedding import EmbeddedQuery, QueryEmbedder
from search.query_kind import without_articles
from search.ranking import rank_many, stored_vectors
from search.ranking_request import RankedHits, RankingRequest, merit
from search.relevance import TEXT_KINDS, min_relevant_score
from search.results import Answer, Hit
from search.text_matches import TextSearch, with_texts, word_shares
from store.catalog.id_sets import Ids
from store.filters.selection import candidate_ids
from store.library import Library

__all__ = ["run_queries", "run_query"]


def run_query(
    library: Library,
    space: ActiveSpace,
    embedder: QueryEmbedder,
    query: Query,
    options: SearchOptions,
    exclude: frozenset[int] = frozenset(),
) -> Answer:
    """Answer one query in `space`, never with a content ID in `exclude`. Raises as `run_queries` does."""
    return run_queries(library, space, embedder, [query], options, exclude)[0]


def run_queries(
    library: Library,
    space: ActiveSpace,
    embedder: QueryEmbedder,
    queries: Sequence[Query],
    options: SearchOptions,
    exclude: frozenset[int] = frozenset(),
) -> list[Answer]:
    """Answer several queries with the same options.

    Raises `InvalidQuery` for a query that cannot be embedded or ranked as requested, and `SpaceDropped` if the space
    was dropped and the filters can no longer be applied.
    """
    if not queries:
        return []
    embedded = [embedder.embed(query, options) for query in queries]
    candidates = _candidates(library, space, options)
    requests = [
        _with_text_matches(
            library, query, _ranking_request(space, query, vectors, options, candidates, exclude), options
        )
        for query, vectors in zip(queries, embedded, strict=True)
    ]
    rankings = rank_many(library, space, np.stack([vectors.vector for vectors in embedded]), requests)
    return [
        _answer(library, space, query, vectors, options, request, hits)
        for query, vectors, request, hits in zip(queries, embedded, requests, rankings, strict=True)
    ]


def _candidates(library: Library, space: ActiveSpace, options: SearchOptions) -> Ids | None:
    """Return the content IDs that pass the filters; None for all."""
    condition = options.filters.condition()
    if condition is None:
        return None
    return candidate_ids(library, space.stored, condition)


def _ranking_request(
    space: ActiveSpace,
    query: Query,
    embedded: EmbeddedQuery,
    options: SearchOptions,
    candidates: Ids | None,
    exclude: frozenset[int],
) -> RankingRequest:
    min_score = options.min_score
    if options.relevant:
        if query.kind in TEXT_KINDS and space.is_calibrating:
            raise RelevanceNotCalibrated(space.stored.space.title, is_under_way=True)
        title, tokens = space.stored.space.title, _tokens(space, query)
        relevant = min_relevant_score(embedded.vector, space.calibration, query.kind, title, tokens)
        min_score = relevant if min_score is None else max(relevant, min_score)
    request = RankingRequest(
        k=options.k,
        digest=query_digest(
            space.stored.space.fingerprint,
            embedded.vector,
            options.filters,
            options.sort,
            min_score,
            options.collapse_duplicates,
            options.every_frame,
            options.text_weight,
        ),
        sort=options.sort,
        diverse=options.diverse,
        min_score=min_score,
        candidates=candidates,
        exclude=exclude,
        every_frame=options.every_frame,
        collapse_duplicates=options.collapse_duplicates and not options.every_frame,
        exact=options.exact,
    )
    if options.cursor is None:
        return request
    cursor = Cursor.parse(options.cursor, request.digest)
    return replace(request, after=cursor.position, shown=cursor.shown)


def _with_text_matches(
    library: Library, query: Query, request: RankingRequest, options: SearchOptions
) -> RankingRequest:
    if not options.text_weight:
        return request
    return replace(request, text_matches=word_shares(library, query), text_weight=options.text_weight)


def _answer(
    library: Library,
    space: ActiveSpace,
    query: Query,
    embedded: EmbeddedQuery,
    options: SearchOptions,
    request: RankingRequest,
    ranked: RankedHits,
) -> Answer:
    hits = _with_relevance(space, query, embedded, ranked)
    if options.relevant:
        hits = [hit for hit in hits if hit.is_relevant]
    hits, next_cursor = _page(hits, request)
    if options.explain:
        hits = _with_parts(library, space, embedded, hits)
    hits = with_texts(library, hits, TextSearch.of(options.filters.condition(), query if options.text_weight else None))
    if request.collapse_duplicates:
        hits = with_near_duplicates(library, hits, request.candidates)
    if options.filters.within:
        hits = [hit.prefer_folders(options.filters.within) for hit in hits]
    notices = (
        *embedded.notices,
        *_calibration_notices(space, query),
        *_approximate_notices(ranked),
        *_engine_notices(space),
    )
    return Answer(tuple(hits), next_cursor, notices, ranked.complete)


def _approximate_notices(ranked: RankedHits) -> tuple[Notice, ...]:
    """Return a notice if not every picture was compared."""
    if ranked.complete:
        return ()
    message = "A few pictures may be missing: not every picture was compared. An exact search compares all."
    return (Notice("approximate", message),)


def _engine_notices(space: ActiveSpace) -> tuple[Notice, ...]:
    """Return a notice if the engine of the index does not work; once, until it has worked again.

    It does not contain the reason, in which the address of a server can be. The status of the library has it.
    """
    if space.current.index.take_warning() is None:
        return ()
    message = "The index engine cannot be used now. Every picture is compared without it."
    return (Notice("engine_unavailable", message),)


def _calibration_notices(space: ActiveSpace, query: Query) -> tuple[Notice, ...]:
    """Return a notice if the query would be judged, but the calibration is still being made."""
    if query.kind not in TEXT_KINDS or not space.is_calibrating:
        return ()
    title = space.stored.space.title
    message = f"The relevance of {title} is being calibrated. Until that has finished, hits are only ranked."
    return (Notice("calibrating", message, {"model": title}),)


def _with_relevance(space: ActiveSpace, query: Query, embedded: EmbeddedQuery, hits: Sequence[Hit]) -> list[Hit]:
    """Add relevance and verdict to each hit, if there is a scale for this kind of query."""
    kind = query.kind
    if space.calibration is None or kind is None or kind not in space.calibration.scales:
        return list(hits)
    scores = np.array([hit.score for hit in hits])  # (k,)
    relevance = space.calibration.relevance(scores, embedded.vector, kind, _tokens(space, query)).tolist()  # k
    verdict = space.calibration.scales[kind].verdict
    return [
        replace(hit, relevance=value, is_relevant=verdict(value)) for hit, value in zip(hits, relevance, strict=True)
    ]


def _tokens(space: ActiveSpace, query: Query) -> int:
    """Return the number of tokens of a text without its article, if the scale of its kind reads it; else 1."""
    scale = space.calibration.scales.get(query.kind) if space.calibration and query.kind else None
    source = query.parts[0].source
    if scale is None or scale.tokens is None or space.encoder is None or not isinstance(source, TextInput):
        return 1
    return space.encoder.count_tokens(without_articles(source.text)) or 1


def _page(hits: Sequence[Hit], request: RankingRequest) -> tuple[list[Hit], str | None]:
    """Cut off the page; return it with the cursor of the next one, if there are more hits."""
    page = list(hits[: request.k])
    if len(hits) <= request.k:
        return page, None
    last = page[-1]
    position = CursorPosition(
        merit(last, request.text_weight) if request.sort == "relevance" else last.score,
        last.frame_id,
        last.taken_at if request.sort == "date" else None,
    )
    return page, str(Cursor(request.digest, last.rank, position))


def _with_parts(library: Library, space: ActiveSpace, embedded: EmbeddedQuery, hits: Sequence[Hit]) -> list[Hit]:
    """Add to each hit its cosine similarity to each part of the query, and what each part contributes to its score."""
    vectors = stored_vectors(library, space, [hit.frame_id for hit in hits])
    explained = []
    for hit in hits:
        if hit.frame_id in vectors:
            cosines = np.clip(embedded.parts @ vectors[hit.frame_id], -1, 1)  # (P,)
            contributions = tuple((embedded.shares * cosines).tolist())
            explained.append(replace(hit, parts=tuple(cosines.tolist()), contributions=contributions))
        else:
            explained.append(hit)
    return explained
