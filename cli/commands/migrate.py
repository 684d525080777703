"""`sightline migrate`."""

import click

from cli.options import json_option

__all__ = ["migrate"]


@click.command(
    epilog="""\b
Examples:
  sightline migrate ~/photos.library postgresql://sightline@db.example.org/photos --dry-run
  sightline migrate ~/photos.library postgresql://sightline@db.example.org/photos
  sightline migrate postgresql://sightline@db.example.org/photos ~/photos.library

SOURCE and TARGET are folders of libraries, or addresses of PostgreSQL databases. SOURCE is only read. TARGET must be
empty; a folder is created, a database must exist. Pictures, vectors, tags, ratings, albums, texts, jobs, judgements and
snapshots are copied with their IDs, and every value is compared before TARGET counts. A migration that was stopped
leaves TARGET empty. Index files are written again. Stop programs that change SOURCE first: what they change in the
course of the migration is not copied. docs/postgresql.md explains libraries in PostgreSQL.
"""
)
@click.argument("source")
@click.argument("target")
@click.option("--dry-run", is_flag=True, help="Only check both, and count what would be copied.")
@json_option
def migrate(source: str, target: str, dry_run: bool, as_json: bool) -> None:
    """Copy the library SOURCE into the empty library TARGET, and compare both."""
    from cli.migrating import migrate_library

    migrate_library(source, target, dry_run=dry_run, as_json=as_json)
