"""The `sightline` command: its verbs, and what every verb shares. Each verb is imported only when it is run."""

import atexit
import gc
import os
import sys
import traceback
import warnings
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NoReturn

import click

from cli.lazy import LazyGroup
from cli.options import Context
from cli.output import harmless
from core.errors import SightlineError
from core.version import __version__

__all__ = ["main", "sightline"]

VERBS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "index": ("cli.index:index", "Take folders of pictures in, or bring the library up to date."),
        "search": ("cli.search:search", "Find pictures by words, by a picture, or by both."),
        "similar": ("cli.similar:similar", "Find the pictures most similar to one picture."),
        "highlight": ("cli.highlight:highlight", "Show where in a picture something is."),
        "serve": ("cli.serve:serve", "Open the page, and the HTTP API, on a library."),
        "demo": ("cli.demo:demo", "Index a small gallery and ask it things in six languages."),
        "tag": ("cli.tag:tag", "Give pictures a tag."),
        "untag": ("cli.tag:untag", "Take a tag away from pictures."),
        "tags": ("cli.tag:tags", "List the tags of the library, or of pictures."),
        "album": ("cli.album:album", "Keep a search under a name, and show what it finds."),
        "facets": ("cli.facets:facets", "Count pictures by camera, month, folder, tag and more."),
        "duplicates": ("cli.duplicates:duplicates", "List what is there more than once, the best of each first."),
        "classify": ("cli.classify:classify", "Classify pictures by labels of your own, and tag them."),
        "status": ("cli.status:status", "Say what the library holds, and what could not be read."),
        "verify": ("cli.verify:verify", "Check that nothing in the library is damaged."),
        "repair": ("cli.repair:repair", "Mend what is damaged, without embedding anything again."),
        "forget": ("cli.forget:forget", "Let the library forget pictures; files are never touched."),
        "models": ("cli.models:models", "List the models, fetch them, and change from one to another."),
        "import": ("cli.import_:import_vectors", "Take in vectors made elsewhere as a space of their own."),
        "export": ("cli.export:export", "Write the vectors of a space to files."),
        "eval": ("cli.evaluate.verb:evaluate", "Measure how well pictures are found: MRR, Recall@k, nDCG."),
        "judge": ("cli.judge:judge", "Judge what is found for your own queries, to evaluate with."),
        "completion": ("cli.completion:completion", "Print a script that completes commands in your shell."),
    }
)
"""Verb to where it lives and what it does: help lists them without importing any."""

SECTIONS: Mapping[str, Sequence[str]] = MappingProxyType(
    {
        "Find pictures": ("index", "search", "similar", "highlight", "serve", "demo"),
        "Keep them in order": ("tag", "untag", "tags", "album", "facets", "duplicates", "classify"),
        "Look after the library": ("status", "verify", "repair", "forget"),
        "Models, vectors, measurements": ("models", "import", "export", "eval", "judge"),
        "The command line": ("completion",),
    }
)
"""Under which titles help lists them."""


@click.group(
    cls=LazyGroup,
    verbs=VERBS,
    sections=SECTIONS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="""\b
Examples:
  sightline index ~/Pictures                     take a folder in
  sightline search a dog playing in the snow     or in zh, de, fr, cs, ar
  sightline search --image ./cat.jpg on a sofa   a picture and words together
  sightline similar ./cat.jpg --sheet cats.html  a contact sheet to look at
  sightline search beach --paths -k 50 | xargs -d '\\n' cp -t ~/beach
\b
Results go to standard output, everything else to standard error.
Exit codes: 0 found, or all well; 1 nothing found, or faults found; 2 usage or failure.
""",
)
@click.option(
    "--library",
    type=click.Path(path_type=str),
    help="Library folder  [default: $SIGHTLINE_LIBRARY, or your data folder]",
)
@click.version_option(__version__, "-V", "--version", prog_name="sightline")
@click.pass_context
def sightline(ctx: click.Context, library: str | None) -> None:
    """Find pictures by what they show: in words, in your language, or by another picture."""
    ctx.obj = Context(library)


def main() -> NoReturn:
    """The console script: runs a verb and turns errors into one line on standard error."""
    # Pillow warns of odd metadata and of large pictures; decoding has limits of its own and says what it refuses.
    warnings.filterwarnings("ignore", module="PIL")
    _spare_the_collector()
    _open_what_is_closed()
    output = sys.stdout
    try:
        code = sightline.main(prog_name="sightline", standalone_mode=False)
        output.flush()
    except click.exceptions.NoArgsIsHelpError as exc:
        click.echo(exc.ctx.get_help() if exc.ctx else "")
        code = 0
    except click.ClickException as exc:
        exc.show()
        code = 2
    except (click.Abort, KeyboardInterrupt):
        click.echo("Stopped. What was settled is safe; run the same command again to go on.", err=True)
        code = 130
    except SightlineError as exc:
        click.echo(f"sightline: {harmless(str(exc))}", err=True)
        code = 2
    except BrokenPipeError:
        sys.stderr.close()  # the reader of our output has left, as `head` does; nothing is wrong
        code = 0
    except OSError as exc:  # our output cannot be written: a full disk
        click.echo(f"sightline: {exc}", err=True)
        sys.stdout = None  # nor at exit, where trying again would change the exit code
        code = 2
    except Exception:  # a fault of ours; Python's own exit code for it, 1, would say "nothing found"
        traceback.print_exc()
        code = 2
    except SystemExit as exc:  # Click has noticed the same, and put a silent stand-in before the output
        code = exc.code if sys.stdout is output else 0
    sys.exit(code if isinstance(code, int) else 0)


def _spare_the_collector() -> None:
    """Nearly all that a verb makes lives until it ends, above all what it imports; there is no garbage to look for.

    Python did so all the same, every 700 objects and through all of them at exit: a fifth of the time of a short run.
    """
    gc.set_threshold(50_000)
    atexit.register(_leave_all_as_it_is)


def _leave_all_as_it_is() -> None:
    """At exit. What belongs to PyTorch is taken apart all the same: libraries of its print whatever is not."""
    if "torch" not in sys.modules:
        gc.freeze()


def _open_what_is_closed() -> None:
    """Puts something silent where whoever started us closed a standard stream, as in `sightline status <&-`."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115, PTH123
