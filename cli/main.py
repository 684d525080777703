"""The `sightline` command: its verbs, errors and exit codes. Each verb is imported only when it is run."""

import atexit
import gc
import os
import sys
import traceback
import warnings
from collections.abc import Mapping, Sequence
from contextlib import suppress
from types import MappingProxyType
from typing import NoReturn

import click

from cli.command_types import GlobalOptions, LazyGroup
from cli.error_hints import describe_error
from cli.output import printable
from cli.suggestions import forget_library
from core.errors import SightlineError
from core.version import __version__

__all__ = ["main", "sightline"]

FIRST_COLLECTION, LATER_COLLECTIONS = 200_000, 50_000
"""New objects that are followed by a collection of garbage."""

VERBS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "index": ("cli.commands.index:index", "Add folders of pictures to the library, or update it."),
        "watch": ("cli.commands.watch:watch", "Watch folders, and index pictures as soon as they change."),
        "search": ("cli.commands.search:search", "Find pictures by text, by a picture, or by both."),
        "similar": ("cli.commands.similar:similar", "Find the pictures most similar to a picture."),
        "highlight": ("cli.commands.highlight:highlight", "Show where in a picture something is."),
        "serve": ("cli.commands.serve:serve", "Serve the web page and the HTTP API of a library."),
        "mcp": ("cli.commands.mcp:mcp", "Let an assistant search the library (Model Context Protocol)."),
        "demo": ("cli.commands.demo:demo", "Index a small gallery, and search it in six languages."),
        "ocr": ("cli.commands.ocr:ocr", "Read the text in pictures, so that it can be searched."),
        "tag": ("cli.commands.tag:tag", "Add a tag to pictures."),
        "untag": ("cli.commands.tag:untag", "Remove a tag from pictures."),
        "tags": ("cli.commands.tag:tags", "List the tags of the library, or of pictures."),
        "rate": ("cli.commands.rate:rate", "Rate pictures, without changing their files."),
        "album": ("cli.commands.album:album", "Put pictures together in albums, or save searches as albums."),
        "facets": ("cli.commands.facets:facets", "Count pictures by camera, month, folder, tag and more."),
        "duplicates": (
            "cli.commands.duplicates:duplicates",
            "List near-duplicates and copies, the best one first.",
        ),
        "distinct": ("cli.commands.distinct:distinct", "Record that pictures are not near-duplicates."),
        "classify": ("cli.commands.classify:classify", "Classify pictures by any labels, and tag them."),
        "jobs": ("cli.commands.jobs:jobs", "Queue long work, and pause, resume or cancel it."),
        "status": ("cli.commands.status:status", "Show the contents of the library."),
        "backup": ("cli.commands.backup:backup", "Write a snapshot of tags, ratings, albums and judgements."),
        "restore": ("cli.commands.restore:restore", "Restore tags, ratings, albums and judgements from a snapshot."),
        "merge": ("cli.commands.merge:merge", "Add all that another library has to this one."),
        "migrate": ("cli.commands.migrate:migrate", "Copy a library into another database, such as PostgreSQL."),
        "write-xmp": (
            "cli.commands.write_xmp:write_xmp",
            "Write tags and ratings into XMP files beside pictures.",
        ),
        "move-root": ("cli.commands.move_root:move_root", "Record that a folder of pictures was moved or renamed."),
        "verify": ("cli.commands.verify:verify", "Check the library for damage."),
        "repair": ("cli.commands.repair:repair", "Repair damage, without embedding pictures again."),
        "forget": ("cli.commands.forget:forget", "Remove pictures from the library, but never their files."),
        "models": ("cli.commands.models:models", "List and download models, and switch between them."),
        "import": ("cli.commands.import_:import_vectors", "Import vectors from other tools as a space."),
        "export": ("cli.commands.export:export", "Write the vectors of a space to files."),
        "eval": ("cli.commands.eval:evaluate", "Measure how well pictures are found: MRR, Recall@k, nDCG."),
        "judge": ("cli.commands.judge:judge", "Judge the results of your own queries, for evaluations."),
        "completion": ("cli.commands.completion:completion", "Print a script that completes commands in your shell."),
    }
)
"""Each verb with its location and its summary: the help lists verbs without importing them."""

SECTIONS: Mapping[str, Sequence[str]] = MappingProxyType(
    {
        "Find pictures": ("index", "watch", "search", "similar", "highlight", "ocr", "serve", "mcp", "demo"),
        "Organise pictures": ("tag", "untag", "tags", "rate", "album", "facets", "duplicates", "distinct", "classify"),
        "Maintain the library": (
            "status",
            "jobs",
            "backup",
            "restore",
            "merge",
            "migrate",
            "write-xmp",
            "move-root",
            "verify",
            "repair",
            "forget",
        ),
        "Models, vectors, measurements": ("models", "import", "export", "eval", "judge"),
        "The command line": ("completion",),
    }
)
"""Titles in the help, with the verbs below each."""


@click.group(
    cls=LazyGroup,
    verbs=VERBS,
    sections=SECTIONS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="""\b
Examples:
  sightline index ~/Pictures                     index a folder
  sightline search a dog playing in the snow     or in zh, de, fr, cs, ar
  sightline search --image ./cat.jpg on a sofa   a picture and words
  sightline similar ./cat.jpg --sheet cats.html  write a contact sheet
  sightline search beach --paths -k 50 | xargs -d '\\n' cp -t ~/beach
\b
Results go to standard output, everything else to standard error.
Exit codes: 0 success; 1 nothing found, or faults found; 2 wrong usage, or failure.
""",
)
@click.option(
    "--library",
    metavar="DIR",
    type=click.Path(path_type=str),
    help="Library: a folder, or a postgresql:// address.  [default: $SIGHTLINE_LIBRARY, or your data folder]",
)
@click.version_option(__version__, "-V", "--version", prog_name="sightline")
@click.pass_context
def sightline(ctx: click.Context, library: str | None) -> None:
    """Find pictures by their content: with words in your language, or with another picture."""
    ctx.obj = GlobalOptions(library)


def main() -> NoReturn:
    """Run a verb, print errors to standard error, and exit. This is the console script."""
    # Pillow warns about invalid metadata and large pictures; `pictures.decode` has its own limits and error messages.
    warnings.filterwarnings("ignore", module="PIL")
    _relax_garbage_collection()
    _replace_closed_streams()
    forget_library()
    output = sys.stdout
    try:
        code = _run()
        output.flush()
    except click.ClickException as exc:
        with suppress(OSError):
            _show(exc)
        code = 2
    except (click.Abort, KeyboardInterrupt):
        _say("Stopped. Finished work is saved; run the same command again to continue.")
        code = 130
    except SightlineError as exc:
        _say(f"sightline: {printable(describe_error(exc))}")
        code = 2
    except BrokenPipeError:
        sys.stderr.close()  # the reader of our output has exited, as `head` does: no error
        code = 0
    except OSError as exc:  # the output cannot be written, for example because the disk is full
        _say(f"sightline: {exc}")
        sys.stdout = None  # or Python would try again at exit, and change the exit code
        code = 2
    except Exception:  # a bug; Python's exit code 1 would mean "nothing found"
        with suppress(OSError):
            traceback.print_exc()
        code = 2
    except SystemExit as exc:  # Click handles a broken pipe itself, and replaces standard output
        code = exc.code if sys.stdout is output else 0
    sys.exit(code if isinstance(code, int) else 0)


def _run() -> object:
    """Run a verb and return its exit code, or print all help if none is given."""
    try:
        return sightline.main(prog_name="sightline", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as exc:
        click.echo(exc.ctx.get_help() if exc.ctx else "")
        return 0


def _say(message: str) -> None:
    """Print why the command ends, unless the reader has exited, as in `2>&1 | head -1`, or the disk is full."""
    with suppress(OSError):
        click.echo(message, err=True)


def _show(error: click.ClickException) -> None:
    """Print an error of Click: those about usage as Click does, others as all errors of Sightline.

    Commands raise `click.FileError` only for files that they write.
    """
    if isinstance(error, click.UsageError):
        error.show()
    elif isinstance(error, click.FileError):
        click.echo(f"sightline: Cannot write {printable(error.ui_filename)}: {printable(error.message)}", err=True)
    else:
        click.echo(f"sightline: {printable(error.format_message())}", err=True)


def _relax_garbage_collection() -> None:
    """Collect garbage rarely: nearly all objects of a short run, above all its modules, live until it ends.

    By default, Python collects after every 700 new objects and over all objects at exit: a fifth of a short run. A
    search ends before the first collection now, which saves it three that take a twentieth of its time.
    """
    gc.set_threshold(FIRST_COLLECTION)
    if _collect_more_often not in gc.callbacks:
        gc.callbacks.append(_collect_more_often)
    atexit.register(_skip_final_collection)


def _collect_more_often(phase: str, _: dict[str, int]) -> None:
    """Collect after fewer objects once a run is not short any more: collections of many objects take long."""
    if phase == "stop":
        gc.callbacks.remove(_collect_more_often)
        gc.set_threshold(LATER_COLLECTIONS)


def _skip_final_collection() -> None:
    """Skip the collection at exit, except after PyTorch was used: its libraries complain about objects left over."""
    if "torch" not in sys.modules:
        gc.freeze()


def _replace_closed_streams() -> None:
    """Replace standard streams that the parent process closed, as in `sightline status <&-`, with the null device."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115, PTH123
