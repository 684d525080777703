"""Published scores of models by language, as data. No score here was measured by this project.

Text to picture on Crossmodal-3600: mean of Recall@1, @5 and @10, in %, as Immich publishes them for all 36 languages of
the data set in docs/docs/features/searching.md (github.com/immich-app/immich, commit 01a09bb, read 2026-11-28). The
source leaves out scores below 20.
"""

from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["CROSSMODAL_3600", "CROSSMODAL_3600_MODELS", "crossmodal_scores"]

CROSSMODAL_3600_MODELS = (
    "ViT-B-32-SigLIP2-256/webli",
    "ViT-B-16-SigLIP2/webli",
    "ViT-L-16-SigLIP2-384/webli",
    "ViT-SO400M-16-SigLIP2-384/webli",
    "xlm-roberta-base-ViT-B-32/laion5b_s13b_b90k",
    "xlm-roberta-large-ViT-H-14/frozen_laion5b_s13b_b90k",
    "nllb-clip-base-siglip/v1",
    "nllb-clip-large-siglip/v1",
    "ViT-H-14-378-quickgelu/dfn5b",
    "ViT-L-14/laion2b_s32b_b82k",
    "ViT-B-32/laion2b_s34b_b79k",
)
"""The models in the order of the columns."""

_ROWS = """
en 73.15 75.19 74.92 75.09 68.33 71.45 68.41 71.19 75.73 69.86 68.78
ar 60.7  61.71 68.25 69.31 59.66 66.52 73.19 76.44 -     -     -
bn -     -     21.44 26.19 -     -     73.34 76.16 -     -     -
cs 54.31 54.81 62.12 62.98 61.01 67.49 67.15 71.57 32.38 -     -
da 67.2  67.68 79.82 82.3  75.07 83.32 84.03 87.16 65.36 -     -
de 84.44 86.44 89.39 89.81 81.63 87.19 84.81 88.42 89.77 42.88 36.6
el 53.24 53.42 59.44 60.63 64.69 71.28 68.21 73.28 -     -     -
es 78.99 82.22 83.71 83.78 75.01 80.18 76.36 80.14 83.0  49.56 42.5
fa 65.16 68.26 74.73 76.3  68.55 74.92 74.86 78.99 -     -     -
fi 40.06 40.26 57.8  62.28 63.08 75.49 78.94 83.93 -     -     -
fr 82.27 84.3  86.9  87.6  79.65 84.49 82.14 86.11 87.74 61.78 56.08
he 58.49 60.33 70.03 72.15 72.73 80.78 83.93 88.04 -     -     -
hi 27.08 27.87 35.76 34.94 32.06 38.54 58.54 61.67 -     -     -
hr 53.3  54.31 70.43 73.2  72.69 81.93 82.92 87.19 35.64 -     -
hu 56.74 58.31 71.83 73.9  72.5  81.74 80.14 85.25 28.26 -     -
id 77.02 79.84 84.58 84.99 74.15 80.93 82.31 85.46 65.87 -     -
it 81.81 83.78 88.04 87.97 77.31 83.0  81.77 85.55 86.91 41.73 33.8
ja 55.31 58.1  67.99 68.29 81.19 86.97 81.77 85.15 -     -     -
ko 67.54 70.25 73.41 75.06 65.44 71.12 72.79 76.89 -     -     -
mi -     -     -     -     -     -     40.85 46.12 -     -     -
nl 72.72 75.33 79.49 79.72 70.81 75.6  75.04 79.31 77.22 34.29 29.54
no 60.94 62.56 72.63 75.0  67.81 75.44 76.39 80.96 59.49 -     -
pl 70.34 73.44 79.72 80.04 73.69 79.8  74.63 79.21 59.4  -     -
pt 74.82 77.54 81.39 81.69 73.02 79.12 74.47 78.85 79.61 37.86 32.62
qu -     -     -     -     -     -     33.06 37.87 -     -     -
ro 56.54 58.28 72.43 73.94 77.92 85.37 84.92 89.38 56.12 -     -
ru 81.59 84.29 86.87 87.65 80.56 85.54 79.99 84.24 39.16 -     -
sv 64.86 66.37 71.7  72.06 66.93 72.83 71.51 76.37 62.35 -     -
sw -     -     -     -     -     -     63.98 68.44 -     -     -
te -     -     -     -     -     -     58.8  62.34 -     -     -
th 35.28 37.35 45.69 45.52 66.03 74.04 75.23 79.07 -     -     -
tl 22.69 23.37 30.57 34.27 -     -     59.42 65.64 -     -     -
tr 64.76 66.72 75.16 77.01 69.19 77.24 77.36 80.89 38.8  -     -
uk 63.95 65.28 75.75 78.33 76.31 83.2  79.31 83.92 -     -     -
vi 77.73 80.88 84.93 85.86 75.18 81.88 79.38 83.19 -     -     -
zh 62.56 64.39 67.05 67.33 72.52 77.19 72.65 77.49 -     -     -
"""
"""A row per language, by ISO 639-1 code (`tl`: Filipino, `qu`: Cusco Quechua, `zh`: simplified Chinese)."""


def _read_rows() -> dict[str, Mapping[str, float]]:
    table: dict[str, Mapping[str, float]] = {}
    for line in _ROWS.split("\n"):
        if line:
            lang, *cells = line.split()
            scores = zip(CROSSMODAL_3600_MODELS, cells, strict=True)
            table[lang] = MappingProxyType({model: float(score) for model, score in scores if score != "-"})
    return table


CROSSMODAL_3600: Mapping[str, Mapping[str, float]] = MappingProxyType(_read_rows())
"""Language -> {model: score}."""


def crossmodal_scores(model: str) -> dict[str, float]:
    """Return the scores of one model by language."""
    return {lang: scores[model] for lang, scores in CROSSMODAL_3600.items() if model in scores}
