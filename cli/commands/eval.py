"""`sightline eval`."""

from pathlib import Path
from typing import Any

import click

from cli.options import GlobalOptions, json_option, placement_options

__all__ = ["evaluate"]

_FILE = click.Path(dir_okay=False, path_type=Path)
_FOLDER = click.Path(file_okay=False, path_type=Path)


@click.command(
    "eval",
    epilog="""\b
Examples:
  sightline eval captions.jsonl                            JSON Lines
  sightline eval flickr8k/ --split dev --html report.html
  sightline eval coco.json --lang en --template 'a photo of {}' --json
  sightline eval captions.jsonl --library lib --space mini --space theirs --query-vectors theirs=texts.npy
  sightline eval captions.jsonl --index HNSW32 --index IVF64,Flat:nprobe=4
  sightline eval captions.jsonl --save baseline.json       save the result ...
  sightline eval captions.jsonl --baseline baseline.json   ... and compare with it

DATASET is JSON Lines, Flickr8k tokens, COCO captions, a Karpathy split, Crossmodal-3600, TREC qrels with
queries, or a folder of class folders. Without --library its pictures are embedded once, into a separate library
in your cache folder; your own library is not changed.

Exit codes: 0 measured; 2 usage or failure; 3 a metric is significantly worse than in the baseline.
""",
)
@click.argument("datasets", nargs=-1, required=True, metavar="DATASET...", type=click.Path(path_type=Path))
@click.option("--library", metavar="DIR", type=click.Path(path_type=Path), help="A library that contains the pictures.")
@click.option(
    "--space",
    "spaces",
    multiple=True,
    metavar="NAME",
    help="A model, or a space of --library; repeatable.  [default: mini, or the library's active space]",
)
@click.option("--split", help="The split of the data set; `all` takes everything.")
@click.option("--lang", "langs", multiple=True, metavar="CODE", help="Only captions in this language; repeatable.")
@click.option(
    "--direction",
    type=click.Choice(["text-to-picture", "picture-to-text", "both"]),
    default="text-to-picture",
    show_default=True,
    help="What the queries are, and what is searched.",
)
@click.option(
    "--template",
    "templates",
    multiple=True,
    metavar="TEXT",
    help="Put each caption (or class) into TEXT in place of {}; repeatable, vectors are averaged.",
)
@click.option("--metrics", metavar="LIST", help="mrr, map, recall@k, fraction_recall@k, p@k, ndcg@k, median_rank, ...")
@click.option(
    "--index",
    "indexes",
    multiple=True,
    metavar="FACTORY",
    help="Compare an approximate FAISS index with exact search: HNSW32, IVF64,Flat:nprobe=4, ...; repeatable.",
)
@click.option(
    "--depth",
    default=100,
    show_default=True,
    type=click.IntRange(min=1),
    help="Number of results per query in --run, and from an --index.",
)
@click.option("--format", metavar="NAME", help="The format of DATASET, if it is not recognised.")
@click.option("--pictures", type=_FOLDER, metavar="DIR", help="The folder of the pictures.")
@click.option(
    "--query-vectors",
    multiple=True,
    metavar="[SPACE=]FILE",
    help="Vectors of the captions (.npy, .parquet) for an imported space.",
)
@click.option(
    "--query-ids",
    type=_FILE,
    metavar="FILE",
    help="The captions' ids for these vectors, one per line  [default: in order]",
)
@placement_options
@json_option
@click.option("--run", type=_FILE, metavar="FILE", help="Write the ranking as a TREC run.")
@click.option("--qrels", type=_FILE, metavar="FILE", help="Write the judgements as TREC qrels.")
@click.option("--html", type=_FILE, metavar="FILE", help="Write a report as a single HTML file.")
@click.option("--plots", type=_FOLDER, metavar="DIR", help="Write plots as PNG (needs the extra `eval`).")
@click.option("--save", type=_FILE, metavar="FILE", help="Save the result as a baseline.")
@click.option("--baseline", type=_FILE, metavar="FILE", help="Compare with a baseline; exit code 3 if a metric drops.")
@click.pass_context
def evaluate(ctx: click.Context, /, library: Path | None, **rest: Any) -> None:
    """Measure how well pictures are found: MRR, Recall@k, nDCG, with confidence intervals."""
    from cli.evaluate.run import EvalOptions, run

    outer = ctx.find_object(GlobalOptions)
    path = library or (Path(outer.library) if outer and outer.library else None)
    ctx.exit(run(EvalOptions(library=path, **rest)))
