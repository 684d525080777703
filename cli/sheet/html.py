"""A contact sheet as one page that needs nothing else: thumbnails are inside, and no script."""

import base64
import html
import io
from collections.abc import Sequence

from cli.output import shown
from cli.sheet.section import Section, thumbnail
from search.hits import Listed

__all__ = ["page"]

THUMBNAIL = 320
"""Longest side in pixels."""

STYLE = """
:root { color-scheme: light dark; --paper: #faf9f7; --card: #fff; --frame: #ecebe8; --ink: #1d1d1f; --faint: #6b6a70; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #161618; --card: #222225; --frame: #2d2d31; --ink: #f2f2f3; --faint: #a3a2a8; }
}
body { margin: 2rem; background: var(--paper); color: var(--ink); font: 16px/1.4 system-ui, sans-serif; }
h2 { font-weight: 600; margin: 2.2rem 0 .8rem; }
ol { list-style: none; display: grid; gap: 1rem; grid-template-columns: repeat(auto-fill, minmax(14rem, 1fr));
     padding: 0; margin: 0; }
li { background: var(--card); border-radius: .7rem; overflow: hidden; box-shadow: 0 1px 4px rgb(0 0 0 / .12); }
img, .gone { display: block; width: 100%; aspect-ratio: 4 / 3; object-fit: contain; background: var(--frame); }
.gone { display: grid; place-items: center; color: var(--faint); }
p { margin: .5rem .8rem .7rem; font-size: .85rem; color: var(--faint); overflow-wrap: anywhere; }
b { color: var(--ink); font-variant-numeric: tabular-nums; }
""".strip()


def page(sections: Sequence[Section]) -> str:
    """The page, as text."""
    body = "\n".join(_section(section) for section in sections)
    return (
        '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>Sightline</title>\n<style>\n{STYLE}\n</style>\n{body}\n</html>\n"
    )


def _section(section: Section) -> str:
    title = f'<h2 dir="auto">{_escaped(section.title)}</h2>'
    if not section.hits:
        return f"{title}\n<p>nothing found</p>"
    return f"{title}\n<ol>\n" + "\n".join(_item(section, number) for number in range(len(section.hits))) + "\n</ol>"


def _item(section: Section, number: int) -> str:
    hit = section.hits[number]
    path = _escaped(shown(hit.path))
    return (
        f'<li title="{path}">{_picture(hit)}<p><b>{_escaped(section.caption(number))}</b> '
        f"{_escaped(shown_name(hit))}</p></li>"
    )


def shown_name(hit: Listed) -> str:
    """The file's name, as far as it can be shown."""
    return shown(type(hit.path)(hit.path.name))


def _picture(hit: Listed) -> str:
    small = thumbnail(hit.path, THUMBNAIL)
    if small is None:
        return '<div class="gone">gone</div>'
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=82)
    data = base64.b64encode(buffer.getvalue()).decode()
    return f'<img src="data:image/jpeg;base64,{data}" alt="{_escaped(shown_name(hit))}">'


def _escaped(text: str) -> str:
    return html.escape(text.encode("utf-8", "replace").decode("utf-8"))
