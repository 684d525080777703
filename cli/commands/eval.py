"""`sightline eval`."""

from pathlib import Path
from typing import Any

import click

from cli.command_types import IntegerRange, SectionedCommand
from cli.options import json_option, named_library, placement_options

__all__ = ["evaluate"]

_FILE = click.Path(dir_okay=False, path_type=Path)
_FOLDER = click.Path(file_okay=False, path_type=Path)


_SECTIONS = {
    "Data set": ("split", "langs", "direction", "format", "pictures", "image_column", "caption_column", "class_names"),
    "Models": ("library", "spaces", "templates", "query_vectors", "query_ids", "device", "precision"),
    "Vectors and rankings made elsewhere": (
        "image_vectors", "text_vectors", "image_ids", "pairs", "captions_per_image", "run_files",
    ),
    "Measurement": ("metrics", "indexes", "depth"),
    "Comparison": ("save", "baseline", "published", "published_models"),
    "Output": ("as_json", "table", "html", "plots", "run", "qrels", "clip_benchmark"),
}  # fmt: skip


@click.command(
    "eval",
    cls=SectionedCommand,
    sections=_SECTIONS,
    epilog="""\b
Examples:
  sightline eval captions.jsonl                            JSON Lines
  sightline eval flickr8k/ --split dev --html report.html
  sightline eval coco.json --lang en --template 'a photo of {}' --json
  sightline eval captions.jsonl --library lib --space mini --space theirs --query-vectors theirs=texts.npy
  sightline eval captions.jsonl --index HNSW32 --index IVF64,Flat:nprobe=4
  sightline eval --run-file a.run --run-file b.json --qrels q.qrels      rankings of other programs
  sightline eval --image-vectors img.npy --text-vectors txt.npy captions.jsonl
  sightline eval captions.jsonl --metrics R@1,5,10 --table latex
  sightline eval captions.jsonl --save baseline.json       save the result ...
  sightline eval captions.jsonl --baseline baseline.json   ... and compare with it

DATASET is JSON Lines, CSV, Parquet, Flickr8k tokens, COCO captions, a Karpathy split, Crossmodal-3600, TREC qrels with
queries, or a folder of class folders. Without --library its pictures are embedded once, into a separate library
in your cache folder; your own library is not changed.

Exit codes: 0 measured; 2 usage or failure; 3 a metric is significantly worse than in the baseline.
""",
)
@click.argument("datasets", nargs=-1, metavar="[DATASET]...", type=click.Path(path_type=Path))
@click.option("--library", callback=named_library, metavar="DIR", help="A library that contains the pictures.")
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
    help="Put each caption (or class) into TEXT in place of {}; repeatable, vectors are averaged. Or a file of them.",
)
@click.option("--class-names", type=_FILE, metavar="FILE", help="Names of the classes, in the order of their folders.")
@click.option("--metrics", metavar="LIST", help="mrr, R@1,5,10, ndcg@10, map, p@5, median_rank and others.")
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
    type=IntegerRange(min=1),
    help="Number of results per query in --run, and from an --index.",
)
@click.option("--format", metavar="NAME", help="The format of DATASET, if it is not recognised.")
@click.option("--image-column", metavar="NAME", help="The column of the pictures in a table.  [default: image, ...]")
@click.option("--caption-column", metavar="NAME", help="The column of the captions.  [default: caption, text, ...]")
@click.option("--pictures", type=_FOLDER, metavar="DIR", help="The folder of the pictures.")
@click.option(
    "--run-file",
    "run_files",
    multiple=True,
    metavar="[NAME=]FILE",
    help="Evaluate a ranking made elsewhere (TREC run, or JSON of ranx or pytrec_eval); repeatable.",
)
@click.option(
    "--image-vectors",
    multiple=True,
    metavar="[NAME=]FILE",
    help="Evaluate vectors of the pictures (.npy, .parquet) without a library; repeatable.",
)
@click.option(
    "--text-vectors",
    multiple=True,
    metavar="[NAME=]FILE",
    help="The captions' vectors for --image-vectors, of the same model.",
)
@click.option(
    "--image-ids",
    type=_FILE,
    metavar="FILE",
    help="The pictures of the rows of --image-vectors, one per line.  [default: in order]",
)
@click.option("--pairs", is_flag=True, help="Instead of a DATASET: captions follow one another as their pictures do.")
@click.option(
    "--captions-per-image",
    type=IntegerRange(min=1),
    metavar="N",
    help="With --pairs: N captions for each picture.  [default: the ratio of the rows]",
)
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
    help="The captions' ids for these vectors, one per line.  [default: in order]",
)
@placement_options
@json_option
@click.option(
    "--published",
    multiple=True,
    metavar="[NAME=]FILE",
    help="Show published results, too: a table of CLIP_benchmark or OpenCLIP; NAME is the data set in it; repeatable.",
)
@click.option(
    "--published-model",
    "published_models",
    multiple=True,
    metavar="PATTERN",
    help="Only these models of --published, as in 'ViT-B-32*'; repeatable.",
)
@click.option("--table", type=click.Choice(["markdown", "latex", "csv"]), help="Print a table for a paper.")
@click.option("--run", type=_FILE, metavar="FILE", help="Write the ranking as a TREC run; a file for each of several.")
@click.option(
    "--qrels", type=_FILE, metavar="FILE", help="Write the judgements as TREC qrels; with --run-file, read them."
)
@click.option("--html", type=_FILE, metavar="FILE", help="Write a report as a single HTML file.")
@click.option("--plots", type=_FOLDER, metavar="DIR", help="Write plots as PNG (needs the extra `eval`).")
@click.option(
    "--clip-benchmark",
    type=_FILE,
    metavar="FILE",
    help="Write results as CLIP_benchmark does; FILE can have {dataset}, {model}, {pretrained}, {language}, {task}.",
)
@click.option("--save", type=_FILE, metavar="FILE", help="Save the result as a baseline.")
@click.option("--baseline", type=_FILE, metavar="FILE", help="Compare with a baseline; exit code 3 if a metric drops.")
@click.pass_context
def evaluate(ctx: click.Context, /, **values: Any) -> None:
    """Measure how well pictures are found: MRR, Recall@k, nDCG, with confidence intervals."""
    from cli.evaluate.run import EvalOptions, run

    ctx.exit(run(EvalOptions(**values)))
