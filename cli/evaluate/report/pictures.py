"""What queries ask with and find, to be seen: pictures as thumbnails inside the page, captions as text."""

import base64
import io
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from cli.evaluate.measure import Measured
from cli.evaluate.report.markup import element, escaped
from cli.sheet.section import thumbnail

__all__ = ["Showcase"]

_SIDE = 200
"""Longest side of a thumbnail, in pixels: about twice that of its place on the page."""

_TARGETS = 3
"""Relevant ones shown for a query, at most."""


class Showcase:
    """Shows the queries and the candidates of what was measured."""

    def __init__(self, measured: Measured) -> None:
        self._dataset = measured.dataset
        self._asks_pictures = measured.direction == "picture-to-text"
        self._captions = {caption.id: caption for caption in measured.dataset.captions}
        self._relevant = measured.qrels

    def query(self, query: str) -> str:
        """What was asked with."""
        if self._asks_pictures:
            return self._picture(query, None, right=False)
        caption = self._captions[query]
        return element("q", escaped(caption.text), dir="auto", lang=caption.lang)

    def lang(self, query: str) -> str:
        """Of a caption; empty for a picture."""
        return "" if self._asks_pictures else self._captions[query].lang

    def targets(self, query: str) -> str:
        """What should have been found."""
        relevant = [name for name, grade in self._relevant.get(query, {}).items() if grade > 0]
        shown = "".join(self._candidate(name, None, right=True) for name in relevant[:_TARGETS])
        more = element("small", f"and {len(relevant) - _TARGETS:,} more") if len(relevant) > _TARGETS else ""
        return element("div", shown + more, class_="items")

    def found(self, query: str, scores: Mapping[str, float]) -> str:
        """What came first, with scores; the right ones are marked."""
        relevant = self._relevant.get(query, {})
        items = [self._candidate(name, score, right=relevant.get(name, 0) > 0) for name, score in scores.items()]
        return element("div", *items, class_="items")

    def _candidate(self, name: str, score: float | None, *, right: bool) -> str:
        if not self._asks_pictures:
            return self._picture(name, score, right=right)
        caption = self._captions[name]
        text = element("span", escaped(caption.text), dir="auto", lang=caption.lang)
        return element("div", text + _score(score), class_="item text right" if right else "item text")

    def _picture(self, name: str, score: float | None, *, right: bool) -> str:
        words = _score(score) or escaped(Path(name).name)
        return element("div", _image(self._dataset.root / name), words, class_="item right" if right else "item")


def _score(score: float | None) -> str:
    return "" if score is None else element("span", f" {score:.3f}")


@lru_cache(maxsize=4096)
def _image(path: Path) -> str:
    small = thumbnail(path, _SIDE)
    if small is None:
        return element("span", "no file", class_="gone")
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=80)
    data = base64.b64encode(buffer.getvalue()).decode()
    return element("img", src=f"data:image/jpeg;base64,{data}", alt=path.name, title=path.name, loading="lazy")
