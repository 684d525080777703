"""`sightline eval`: its options, and what happens in which order."""

from pathlib import Path
from typing import Any

import click

from cli.evaluate.request import Options
from cli.options import Context, json_option, placement_options

__all__ = ["evaluate"]

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command(
    "eval",
    epilog="""\b
Examples:
  sightline eval captions.jsonl                            JSON Lines
  sightline eval flickr8k/ --split dev --html report.html
  sightline eval coco.json --lang en --template 'a photo of {}' --json
  sightline eval captions.jsonl --library lib --space mini --space theirs --query-vectors theirs=texts.npy
  sightline eval captions.jsonl --index HNSW32 --index IVF64,Flat:nprobe=4
  sightline eval captions.jsonl --save baseline.json       keep it ...
  sightline eval captions.jsonl --baseline baseline.json   ... hold to it

DATASET is JSON Lines, Flickr8k tokens, COCO captions, a Karpathy split, Crossmodal-3600, TREC qrels with
queries, or a folder of class folders. Without --library its pictures are embedded into a library of their own
in your cache folder, once; your own library is left alone.

Exit codes: 0 measured; 2 usage or failure; 3 a measure fell below the baseline by more than noise.
""",
)
@click.argument("datasets", nargs=-1, required=True, metavar="DATASET...", type=click.Path(path_type=Path))
@click.option("--library", metavar="DIR", type=click.Path(path_type=Path), help="A library that has the pictures.")
@click.option(
    "--space",
    "spaces",
    multiple=True,
    metavar="NAME",
    help="A model, or a space of --library; repeatable.  [default: mini, or the library's active space]",
)
@click.option("--split", help="Of the data set; `all` takes everything.")
@click.option("--lang", "langs", multiple=True, metavar="CODE", help="Only captions in this language; repeatable.")
@click.option(
    "--direction",
    type=click.Choice(["text-to-picture", "picture-to-text", "both"]),
    default="text-to-picture",
    show_default=True,
    help="What is asked with, and what is found.",
)
@click.option(
    "--template",
    "templates",
    multiple=True,
    metavar="TEXT",
    help="Put each caption (or class) into TEXT, where it says {}; the mean of several.",
)
@click.option("--metrics", metavar="LIST", help="mrr, map, recall@k, fraction_recall@k, p@k, ndcg@k, median_rank, ...")
@click.option(
    "--index",
    "indexes",
    multiple=True,
    metavar="FACTORY",
    help="Hold an approximate FAISS index against exact search: HNSW32, IVF64,Flat:nprobe=4, ...; repeatable.",
)
@click.option(
    "--depth",
    default=100,
    show_default=True,
    type=click.IntRange(min=1),
    help="How far down --run lists, and an --index looks.",
)
@click.option("--format", metavar="NAME", help="The format of DATASET, if it is not recognised.")
@click.option(
    "--pictures", type=click.Path(file_okay=False, path_type=Path), metavar="DIR", help="Where its pictures are."
)
@click.option(
    "--query-vectors",
    multiple=True,
    metavar="[SPACE=]FILE",
    help="Vectors of the captions (.npy, .parquet) for an imported space.",
)
@click.option(
    "--query-ids", type=_FILE, metavar="FILE", help="Whose they are, a caption's id a line  [default: in order]"
)
@placement_options
@json_option
@click.option("--run", type=_FILE, metavar="FILE", help="Write the ranking as a TREC run.")
@click.option("--qrels", type=_FILE, metavar="FILE", help="Write the judgements as TREC qrels.")
@click.option("--html", type=_FILE, metavar="FILE", help="Write a report, one self-contained page.")
@click.option(
    "--plots",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Write plots as PNG (needs the extra `eval`).",
)
@click.option("--save", type=_FILE, metavar="FILE", help="Keep the outcome as a baseline.")
@click.option("--baseline", type=_FILE, metavar="FILE", help="Exit with 3 if a measure fell significantly since.")
@click.pass_context
def evaluate(ctx: click.Context, /, library: Path | None, **rest: Any) -> None:
    """Measure how well pictures are found: MRR, Recall@k, nDCG, each with its interval."""
    from cli.evaluate.running import run

    outer = ctx.find_object(Context)
    named = library or (Path(outer.library) if outer and outer.library else None)
    ctx.exit(run(Options(library=named, **rest)))
