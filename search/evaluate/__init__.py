"""How well pictures are found: ranks, measures, intervals, comparisons, data sets.

    from search.evaluate.datasets import open_dataset
    from search.evaluate.evaluate import evaluate_dataset
    from search.evaluate.gallery import open_gallery

    dataset = open_dataset("flickr8k", "dev")
    texts = encoder.encode_texts([caption.text for caption in dataset.captions])
    for evaluation in evaluate_dataset(dataset, texts, open_gallery(library, stored, dataset), "mini"):
        print(evaluation.as_dict())

`ranks` counts, `metrics` measures, `uncertainty` and `compare` say how far to believe it, `evaluation` holds the
result, `baseline` keeps it. Only `gallery` and `judging` know of libraries and models: for all else there are vectors,
ids and judgements.
"""
