"""`sightline status`: what the library holds, and what could not be read."""

from pathlib import Path
from typing import Any

import click

from cli.options import json_option, library_option

__all__ = ["status"]


@click.command(
    epilog="""\b
Examples:
  sightline status
  sightline status --failures   what could not be read, and why
  sightline status --json | jq .present
"""
)
@library_option
@click.option("--failures", "with_failures", is_flag=True, help="List every file that failed, with the reason.")
@json_option
def status(library: Path, with_failures: bool, as_json: bool) -> None:
    """Say what the library holds, and what could not be read."""
    from cli.output import print_json
    from store import Library

    with Library.open(library) as opened:
        facts = _facts(opened, with_failures)
    if as_json:
        print_json(facts)
    else:
        _print(facts)


def _facts(library: Any, with_failures: bool) -> dict[str, Any]:
    from store.catalog.tables import State
    from store.queries import count_documents, counts, failures
    from store.roots import list_roots

    by_state = counts(library)
    facts: dict[str, Any] = {
        "library": library.path,
        "pictures": sum(by_state.values()),
        "present": by_state[State.PRESENT],
        "missing": by_state[State.MISSING],
        "failed": by_state[State.FAILED],
        "documents": count_documents(library),
        "bytes": sum(map(_size, library.path.rglob("*"))),
        "spaces": _spaces(library),
        "roots": [vars(root) for root in list_roots(library)],
    }
    if with_failures:
        facts["failures"] = [vars(failure) for failure in failures(library)]
    return facts


def _spaces(library: Any) -> list[dict[str, Any]]:
    from store.spaces.coverage import coverage
    from store.spaces.registry import list_spaces
    from store.spaces.space_fill import fillings

    spaces, filling = list_spaces(library), fillings(library)
    with library.read() as connection:
        covered = {stored.id: coverage(connection, stored) for stored, _, _ in spaces}
    return [
        {
            "model": stored.space.model,
            "fingerprint": stored.space.fingerprint,
            "dim": stored.space.dim,
            "dtype": stored.dtype,
            "vectors": vectors,
            "active": active,
            "pictures": covered[stored.id].pictures,
            "covered": covered[stored.id].embedded,
            "failed": covered[stored.id].failed,
            "filling": filling.get(stored.id),
        }
        for stored, vectors, active in spaces
    ]


def _size(file: Path) -> int:
    try:
        return file.stat().st_size if file.is_file() else 0
    except FileNotFoundError:  # a file that another process had only for a moment
        return 0


def _print(facts: dict[str, Any]) -> None:
    from cli.output import print_text, shown

    print_text(f"Library   {shown(facts['library'])}  ({facts['bytes'] / 1e6:,.1f} MB)")
    print_text(
        f"Pictures  {facts['pictures']:,}: {facts['present']:,} present, {facts['missing']:,} missing, "
        f"{facts['failed']:,} failed"
    )
    if facts["documents"]:
        print_text(f"Documents {facts['documents']:,}, of which there are only vectors made elsewhere")
    for space in facts["spaces"]:
        print_text(
            f"Space     {space['model']} ({space['fingerprint'][:12]}): {space['vectors']:,} vectors of "
            f"{space['dim']} × {space['dtype']}, {_use(space)}"
        )
    for root in facts["roots"]:
        print_text(
            f"Folder    {shown(root['path'])}: {root['present']:,} present, {root['missing']:,} missing, "
            f"{root['failed']:,} failed"
        )
    if (facts["failed"] or any(space["failed"] for space in facts["spaces"])) and "failures" not in facts:
        print_text("`sightline status --failures` says what failed, and why")
    for failure in facts.get("failures", ()):
        print_text(
            f"Failed    {shown(failure['path'])}: {failure['detail']} "
            f"({failure['reason']}{_in_space(failure['space'])}, tried {failure['tries']}×)"
        )


def _use(space: dict[str, Any]) -> str:
    """What a space is for now, and how much of the library it covers."""
    parts = ["answers searches" if space["active"] else "at rest"]
    if space["filling"]:
        parts.append("being filled" if space["filling"] == "under way" else "half filled: `models use` goes on")
    if space["covered"] < space["pictures"]:
        parts.append(f"covers {space['covered']:,} of {space['pictures']:,} pictures")
    if space["failed"]:
        parts.append(f"{space['failed']:,} could not be embedded")
    return ", ".join(parts)


def _in_space(space: str | None) -> str:
    return f" in {space}" if space else ""
