"""Lists of texts: prompt templates, and names of classes.

A list is a text file with a line for each, or JSON: an array, or an object that maps names of data sets to arrays, such
as `en_zeroshot_classification_templates.json` and `en_classnames.json` of CLIP_benchmark
(https://github.com/LAION-AI/CLIP_benchmark).
"""

from pathlib import Path

from core.errors import DatasetError
from search.evaluate.text_files import read_json, read_lines

__all__ = ["read_text_list"]


def read_text_list(path: Path, key: str) -> list[str]:
    """Return the texts in a file; of a JSON object, those of the data set `key`.

    Raises `DatasetError`.
    """
    if path.suffix != ".json":
        return [line.strip() for _, line in read_lines(path)]
    value = read_json(path)
    if isinstance(value, dict):
        if key not in value:
            raise DatasetError(path, f"there is no {key!r}; it has {', '.join(map(str, value))}")
        value = value[key]
    if not isinstance(value, list) or not value or not all(isinstance(text, str) for text in value):
        raise DatasetError(path, "a list of texts was expected")
    return value
