"""Published results: the layouts of CLIP_benchmark and OpenCLIP, and mistakes in them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import DatasetError
from search.evaluate.clip_benchmark import BenchmarkResult
from search.evaluate.published import PublishedResult, datasets_of, read_published, results_for

Write = Callable[..., Path]

HEAD = (
    "acc1,acc5,mean_per_class_recall,dataset,model,pretrained,task,mean_average_precision,image_retrieval_recall@5,"
    "text_retrieval_recall@5,model_fullname"
)
"""The columns of CLIP_benchmark's table, in its order."""


def test_table_of_clip_benchmark(write: Write) -> None:
    path = write(
        "benchmark.csv",
        HEAD,
        "0.75,0.95,0.74,vtab/pets,ViT-B-32,openai,zeroshot_classification,,,,ViT-B-32 openai",
        "0.5,,0.5,vtab/pcam,ViT-B-32,openai,zeroshot_classification,,,,ViT-B-32 openai",
        ",,,flickr30k,ViT-B-32,openai,zeroshot_retrieval,,0.8338,0.949,ViT-B-32 openai",
        ",,,voc2007_multilabel,ViT-B-32,openai,zeroshot_classification,0.76,,,ViT-B-32 openai",
    )
    results = read_published(path)
    assert datasets_of(results) == ["flickr30k", "vtab/pcam", "vtab/pets"]  # mean average precision is not of ranks
    assert results_for(results, "Flickr-30k") == [
        PublishedResult("flickr30k", "ViT-B-32 openai", "en", "text-to-picture", {"recall@5": 0.8338}, "benchmark.csv"),
        PublishedResult("flickr30k", "ViT-B-32 openai", "en", "picture-to-text", {"recall@5": 0.949}, "benchmark.csv"),
    ]
    (pets,) = results_for(results, "pets")
    assert (pets.direction, pets.scores) == ("picture-to-text", {"recall@1": 0.75, "recall@5": 0.95})
    assert results_for(results, "flickr") == []


def test_json_that_this_project_writes_is_read(write: Write) -> None:
    record = BenchmarkResult("coco", "B", "w", "zeroshot_retrieval", "jp", {"image_retrieval_recall@1": 0.5}).as_dict()
    (result,) = read_published(write("one.json", record))
    assert (result.model, result.language, result.scores) == ("B w", "ja", {"recall@1": 0.5})
    again = {**record, "metrics": {"image_retrieval_recall@1": 0.25, "text_retrieval_recall@1": None}}
    (first,) = read_published(write("two.json", [record, again]))
    assert first.scores == {"recall@1": 0.5}  # listed twice: the first numbers


def test_tables_of_openclip(write: Write) -> None:
    short = write(
        "openclip_retrieval_results.csv",
        "name,pretrained,params (M),FLOPs (B),Average score,Flickr image retr. R@1,MSCOCO text retr. R@10",
        "ViT-B-32,openai,151.28,14.78,0.6321,0.5878,0.8352",
    )
    image, text = read_published(short)
    assert (image.dataset, image.direction, image.scores) == ("flickr30k", "text-to-picture", {"recall@1": 0.5878})
    assert (text.dataset, text.direction, text.scores) == ("mscoco_captions", "picture-to-text", {"recall@10": 0.8352})
    wide = write(
        "multilingual.csv",
        "model,version,avg,crossmodal3600 image_retrieval_recall@1 avg,crossmodal3600 image_retrieval_recall@1 de,"
        "multilingual_mscoco_captions text_retrieval_recall@5 jp",
        "nllb,v1,0.7,0.6,0.733,0.8",
    )
    assert [(each.dataset, each.model, each.language, dict(each.scores)) for each in read_published(wide)] == [
        ("crossmodal3600", "nllb v1", "de", {"recall@1": 0.733}),
        ("multilingual_mscoco_captions", "nllb v1", "ja", {"recall@5": 0.8}),
    ]


@pytest.mark.parametrize(
    ("lines", "complaint"),
    [
        (["a,b", "1,2"], "the name of the model is missing"),
        (["model,x", "B,2"], "no results were found"),
        (["model,dataset,acc1", "B,pets,75.3"], "line 2: acc1 is 75.3, but a share from 0 to 1"),
        (["model,dataset,acc1", "B,pets,high"], "line 2: acc1 is 'high', but a number was expected"),
        (["model,dataset,acc1", "B,pets"], "line 2: 2 columns, but the first line names 3"),
        (["model,dataset,acc1", "B" * 200_000 + ",pets,0.5"], "line 2: not a row of CSV: field larger than"),
        (["B" * 200_000 + ",dataset,acc1"], "line 1: not a row of CSV: field larger than"),
    ],
)
def test_mistakes_name_file_and_line(write: Write, lines: list[str], complaint: str) -> None:
    with pytest.raises(DatasetError, match=complaint):
        read_published(write("table.csv", *lines))


def test_other_json_is_refused(write: Write) -> None:
    with pytest.raises(DatasetError, match="'metrics' was expected"):
        read_published(write("other.json", {"a": 1}))
