"""`sightline status`."""

import shlex
from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

from cli.model_versions import NewerVersion, find_newer_version
from cli.output import counted, print_json, print_text, shown
from cli.passed_over import by_type
from cli.suggestions import command
from core.errors import PictureTooLarge
from core.space import Space
from indexer.absent_disks import count_away
from search.kept_calibrations import is_calibrating, kept_failure, kept_file
from store import Library
from store.catalog.postgresql.address import is_server_url
from store.catalog.tables import PictureState
from store.failures import list_failures
from store.passed_over import count_passed_over, list_passed_over
from store.queries import count_by_state, count_documents
from store.roots import list_roots
from store.spaces.coverage import coverage
from store.spaces.faiss_build import faiss_build
from store.spaces.index_cache import published_manifest
from store.spaces.index_engines import chosen_engine
from store.spaces.recall import RECALL_DEPTH
from store.spaces.registry import StoredSpace, list_spaces
from store.spaces.server_engines.checking import EngineReport, report_engine
from store.spaces.space_fill import fill_states
from store.texts import text_coverage

__all__ = ["print_status"]


def print_status(library: Path, *, with_failures: bool, with_passed_over: bool, as_json: bool) -> None:
    """Print what the library contains, on request with the files that could not be read or were passed over."""
    with Library.open(library) as opened:
        facts, newer = _status(opened, with_failures, with_passed_over), find_newer_version(opened)
    if as_json:
        print_json({**facts, "newer_version": newer and newer.newest.version})
    else:
        _print_status(facts, newer)


def _status(library: Library, with_failures: bool, with_passed_over: bool) -> dict[str, Any]:
    by_state = count_by_state(library)
    away = count_away(library)
    facts: dict[str, Any] = {
        "library": library.location,
        "pictures": sum(by_state.values()),
        "present": by_state[PictureState.PRESENT],
        "missing": by_state[PictureState.MISSING],
        "failed": by_state[PictureState.FAILED],
        "documents": count_documents(library),
        "bytes": sum(map(_size, library.path.rglob("*"))),
        "spaces": _spaces(library),
        "unfinished_imports": _unfinished_imports(library),
        "faiss": faiss_build()._asdict(),
        "roots": [{**vars(root), "away": away.get(root.path, 0)} for root in list_roots(library)],
        "passed_over": count_passed_over(library),
        "texts": vars(text_coverage(library)),
    }
    if with_failures:
        facts["failures"] = [vars(failure) for failure in list_failures(library)]
    if with_passed_over:
        facts["passed_over_folders"] = [vars(files) for files in list_passed_over(library)]
    return facts


def _spaces(library: Library) -> list[dict[str, Any]]:
    summaries, filling = list_spaces(library), fill_states(library)
    covered = {summary.stored.id: coverage(library, summary.stored) for summary in summaries}
    return [
        {
            "model": summary.stored.space.model,
            "version": summary.stored.space.version,
            "name": summary.stored.space.name,
            "fingerprint": summary.stored.space.fingerprint,
            "dim": summary.stored.space.dim,
            "dtype": summary.stored.dtype,
            "vectors": summary.vectors,
            "active": summary.is_active,
            "pictures": covered[summary.stored.id].pictures,
            "covered": covered[summary.stored.id].embedded,
            "failed": covered[summary.stored.id].failed,
            "filling": filling.get(summary.stored.id),
            "calibrating": is_calibrating(summary.stored.space),
            **_calibration_failure(summary.stored.space),
            "index": _index(library, summary.stored),
        }
        for summary in summaries
    ]


def _unfinished_imports(library: Library) -> list[dict[str, Any]]:
    """Return the spaces that are being imported, or whose import was stopped, and those that are being removed."""
    states = fill_states(library)
    return [
        {
            "name": summary.stored.space.model,
            "fingerprint": summary.stored.space.fingerprint,
            "vectors": summary.vectors,
            "state": states.get(summary.stored.id, "replaced"),
        }
        for summary in list_spaces(library, unfinished=True)
        if summary.stored.space.is_unfinished
    ]


def _index(library: Library, stored: StoredSpace) -> dict[str, Any]:
    """Return how the index of a space searches, and the recall that was measured if it has one."""
    if (report := report_engine(library, stored)) is not None:
        return _server_engine(report)
    manifest = published_manifest(library, stored)
    if manifest is None:
        return {"engine": chosen_engine() or "flat"}
    measured = {"recall": {**vars(manifest.recall), "at": RECALL_DEPTH}, "probes": manifest.probes}
    return {"engine": "flat" if manifest.lists is None else "ivf", **measured}


def _server_engine(report: EngineReport) -> dict[str, Any]:
    """Return what is known of an engine on a server."""
    facts: dict[str, Any] = {"engine": report.engine, "address": report.address, "fault": report.fault}
    if report.state is None:
        return {**facts, "in_use": False}
    recall = report.state.recall
    return {
        **facts,
        "in_use": report.state.is_usable and report.behind is not None,
        "vectors": report.state.vectors,
        "behind": report.behind,
        "candidates": report.state.candidates,
        **({} if recall is None else {"recall": {**vars(recall), "at": RECALL_DEPTH}}),
    }


def _calibration_failure(space: Space) -> dict[str, Any]:
    """Return why no calibration could be made for a space, and the file to delete to try again."""
    failure = kept_failure(space)
    return {"calibration_failure": failure, "calibration_file": None if failure is None else kept_file(space)}


def _size(file: Path) -> int:
    try:
        return file.stat().st_size if file.is_file() else 0
    except FileNotFoundError:  # a temporary file of another process
        return 0


def _print_status(facts: dict[str, Any], newer: NewerVersion | None) -> None:
    of_machine = " on this machine" if is_server_url(str(facts["library"])) else ""
    print_text(f"Library   {shown(facts['library'])}  ({facts['bytes'] / 1e6:,.1f} MB{of_machine})")
    print_text(f"Pictures  {facts['pictures']:,}: {_states(facts)}")
    if facts["documents"]:
        print_text(f"Documents {counted(facts['documents'], 'imported vector', 'imported vectors')} without a file")
    for space in facts["spaces"]:
        _print_space(space)
    for each in facts["unfinished_imports"]:
        print_text(f"Import    {_import_line(each)}")
    if newer is not None:
        print_text(f"Newer     {newer}")
    for root in facts["roots"]:
        print_text(f"Folder    {shown(root['path'])}: {_states(root)}")
        if root["away"]:
            print_text(f"          {root['away']:,} of them cannot be read now: the folder, or a disk in it, is away")
    _print_texts(facts["texts"])
    failed = [facts["failed"], facts["texts"]["failed"], *(space["failed"] for space in facts["spaces"])]
    if any(failed) and "failures" not in facts:
        print_text(f"          {command('status --failures')} lists what failed, and why")
    if facts["passed_over"]:
        _print_passed_over(facts)
    print_text(f"FAISS     {_faiss(facts['faiss'])}")
    _print_failures(facts.get("failures", ()))


def _states(counts: dict[str, Any]) -> str:
    """Return the numbers of pictures by state, of the library or of a root."""
    return f"{counts['present']:,} present, {counts['missing']:,} missing, {counts['failed']:,} failed"


def _print_space(space: dict[str, Any]) -> None:
    print_text(
        f"Space     {_title(space)} ({space['fingerprint'][:12]}): "
        f"{counted(space['vectors'], 'vector', 'vectors')} of {space['dim']} × {space['dtype']}, "
        f"{_space_state(space)}"
    )
    if "address" in space["index"]:
        print_text(f"          {_server_engine_line(space['index'])}")
    elif "recall" in space["index"]:
        print_text(f"          {_index_line(space['index'])}")
    if space["calibration_failure"]:
        print_text(f"          {space['calibration_failure']} (delete {shown(space['calibration_file'])} to try again)")


def _print_texts(texts: dict[str, Any]) -> None:
    """Print how many pictures have been searched for text, if any have."""
    if texts["read"] or texts["failed"]:
        print_text(
            f"Text      {texts['read']:,} of {counted(texts['contents'], 'picture', 'pictures')} read, "
            f"{texts['with_text']:,} with text, {texts['failed']:,} failed"
        )


def _print_failures(failures: Sequence[dict[str, Any]]) -> None:
    for failure in failures:
        space = f" in {' '.join(filter(None, (failure['space'], failure['version'])))}" if failure["space"] else ""
        print_text(
            f"Failed    {shown(failure['path'])}: {failure['detail']} "
            f"({failure['reason']}{space}, tried {failure['tries']}×)"
        )
    if any(failure["detail"].endswith(PictureTooLarge.in_total) for failure in failures):
        print_text(f"          {command('index --max-megapixels N')} reads larger pictures")


def _import_line(unfinished: dict[str, Any]) -> str:
    name, fingerprint = unfinished["name"], unfinished["fingerprint"][:12]
    vectors = counted(unfinished["vectors"], "vector", "vectors")
    if unfinished["state"] == "under way":
        return f"of {name} is under way: {vectors} so far"
    if unfinished["state"] == "replaced":
        return f"of {name} replaced a space with {vectors}, which {command('repair')} removes"
    return (
        f"of {name} was stopped after {vectors}; the same {command('import')} continues it, "
        f"{command(f'forget --space {fingerprint}')} removes it"
    )


def _index_line(index: dict[str, Any]) -> str:
    measured = _measured(index["recall"])
    if index["engine"] == "ivf":
        return f"Approximate index: {measured} (`search --exact` compares every picture)"
    return f"Exact search, because an approximate index had {measured}"


def _measured(recall: dict[str, Any]) -> str:
    texts = "generated text queries" if recall["generated"] else "text queries"
    return (
        f"recall@{recall['at']} {recall['text']:.3f} for {recall['text_queries']} {texts}, "
        f"{recall['pictures']:.3f} for pictures"
    )


def _server_engine_line(index: dict[str, Any]) -> str:
    """Return what an engine on a server has, and whether searches use it."""
    if index["fault"]:
        return f"Exact search. {index['fault']}"
    where = shown(index["address"])
    if "vectors" not in index:
        return f"Exact search, because {where} has no vectors of this space yet ({command('index')} copies them)"
    if index["behind"] is None:
        return f"Exact search, because {where} is too far behind the library ({command('index')} copies all vectors)"
    measured = f", {_measured(index['recall'])}" if "recall" in index else ", exact"
    if not index["in_use"]:
        return f"Exact search, because {where} had{measured.removeprefix(',')}"
    behind = f", {counted(index['behind'], 'picture', 'pictures')} behind" if index["behind"] else ""
    return f"Engine    {where}: {counted(index['vectors'], 'vector', 'vectors')}{behind}{measured}"


def _print_passed_over(facts: dict[str, Any]) -> None:
    number = sum(facts["passed_over"].values())
    print_text(f"Other     {counted(number, 'file was', 'files were')} passed over: {by_type(facts['passed_over'])}")
    if "passed_over_folders" not in facts:
        print_text(f"          {command('status --passed-over')} lists their folders")
    for folder, files in groupby(facts.get("passed_over_folders", ()), key=itemgetter("folder")):
        print_text(f"Other     {shown(folder)}: {by_type({each['type']: each['files'] for each in files})}")


def _faiss(build: dict[str, Any]) -> str:
    """Describe the installed build: packages for the processor and for GPUs overwrite each other's files."""
    if build["kind"] == "cpu":
        return f"{build['version']} for the processor"
    return f"{build['version']} for GPUs; it can use {build['gpus']:,}"


def _title(space: dict[str, Any]) -> str:
    return f"{space['model']} {space['version']}" if space["version"] else str(space["model"])


def _space_state(space: dict[str, Any]) -> str:
    """Return whether a space is active, and how much of the library it covers."""
    parts = ["active" if space["active"] else "inactive"]
    if space["filling"] == "under way":
        parts.append("being filled")
    elif space["filling"]:
        name = shlex.quote(space["name"])
        parts.append(f"partly filled ({command(f'models use {name}')} continues)")
    if space["covered"] < space["pictures"]:
        parts.append(f"covers {space['covered']:,} of {counted(space['pictures'], 'picture', 'pictures')}")
    if space["failed"]:
        parts.append(f"{space['failed']:,} could not be embedded")
    if space["calibrating"]:
        parts.append("relevance is being calibrated")
    elif space["calibration_failure"]:
        parts.append("relevance could not be calibrated")
    return ", ".join(parts)
