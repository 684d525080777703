"""Contact sheets: the pictures of one or more searches with their scores, as a PNG or a self-contained HTML page."""

import base64
import html
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click
from PIL import Image, ImageDraw

from cli.output import shown
from cli.thumbnails import thumbnail
from pictures.text_drawing import can_draw, find_font, fit_text
from search.results import Hit, ListedImage

__all__ = ["SheetSection", "write_sheet"]


@dataclass(frozen=True)
class SheetSection:
    """A title, and the pictures below it."""

    title: str
    hits: Sequence[ListedImage]
    captions: Sequence[str] = ()
    """Captions to print in place of rank, score and frame, one for each hit."""

    def caption(self, position: int) -> str:
        """Return the text that precedes the file name of the hit at `position`, counted from 0."""
        hit = self.hits[position]
        if self.captions:
            return self.captions[position]
        if not isinstance(hit, Hit):
            return f"{hit.rank}."
        frame = "" if hit.frame is None else f" {hit.frame}"
        return f"{hit.rank}. {hit.score:.3f}{'?' if hit.is_relevant is False else ''}{frame}"


def write_sheet(path: Path, sections: Sequence[SheetSection]) -> None:
    """Write `sections` to `path`, a `.png` or `.html` file.

    Raises `click.UsageError` for another suffix, and `click.FileError` if the file cannot be written.
    """
    suffix = path.suffix.lower()
    if suffix not in (".png", ".html", ".htm"):
        raise click.UsageError(f"A contact sheet is a .png or .html file, not {path.name!r}.")
    try:
        if suffix == ".png":
            sheet_image(sections).save(path)
        else:
            path.write_text(sheet_page(sections), encoding="utf-8")
    except OSError as exc:
        raise click.FileError(str(path), exc.strerror or str(exc)) from exc


# HTML

THUMBNAIL_SIDE = 320
"""Longest side of a thumbnail in pixels."""

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


def sheet_page(sections: Sequence[SheetSection]) -> str:
    """Return an HTML page without scripts that contains its thumbnails."""
    body = "\n".join(_html_section(section) for section in sections)
    return (
        '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>Sightline</title>\n<style>\n{STYLE}\n</style>\n{body}\n</html>\n"
    )


def _html_section(section: SheetSection) -> str:
    title = f'<h2 dir="auto">{_escaped(section.title)}</h2>'
    if not section.hits:
        return f"{title}\n<p>Nothing found.</p>"
    items = "\n".join(_html_item(section, position) for position in range(len(section.hits)))
    return f"{title}\n<ol>\n{items}\n</ol>"


def _html_item(section: SheetSection, position: int) -> str:
    hit = section.hits[position]
    return (
        f'<li title="{_escaped(shown(hit.path))}">{_html_picture(hit)}'
        f"<p><b>{_escaped(section.caption(position))}</b> {_escaped(_file_name(hit))}</p></li>"
    )


def _html_picture(hit: ListedImage) -> str:
    small = thumbnail(hit.path, THUMBNAIL_SIDE, hit.frame_number)
    if small is None:
        return '<div class="gone">missing</div>'
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=82)
    data = base64.b64encode(buffer.getvalue()).decode()
    return f'<img src="data:image/jpeg;base64,{data}" alt="{_escaped(_file_name(hit))}">'


def _file_name(hit: ListedImage) -> str:
    return shown(Path(hit.path.name))


def _escaped(text: str) -> str:
    return html.escape(text.encode("utf-8", "replace").decode("utf-8"))


# PNG

MAX_COLUMNS = 5
CELL, CAPTION, GAP, TITLE = 240, 26, 14, 52
"""Pixels: the box of a thumbnail, the line below it, the space around both, the title of a section."""
MIN_NAME_WIDTH = 20
"""Pixels that must be left after the caption for the file name to be written."""

UNWRITABLE_TITLE = "(no font on this system can write this query; the .html sheet shows it)"

PAPER, FRAME, INK, FAINT = "#faf9f7", "#ecebe8", "#1d1d1f", "#76757a"


def sheet_image(sections: Sequence[SheetSection]) -> Image.Image:
    """Return an image of all sections, one below the other."""
    columns = max(1, min(MAX_COLUMNS, max((len(section.hits) for section in sections), default=1)))
    width = GAP + columns * (CELL + GAP)
    height = GAP + sum(_height(section, columns) for section in sections)
    sheet = Image.new("RGB", (width, height), PAPER)
    top = GAP
    for section in sections:
        _draw_section(sheet, section, top, columns)
        top += _height(section, columns)
    return sheet


def _height(section: SheetSection, columns: int) -> int:
    rows = max(1, -(-len(section.hits) // columns))
    return TITLE + rows * (CELL + CAPTION + GAP)


def _draw_section(sheet: Image.Image, section: SheetSection, top: int, columns: int) -> None:
    draw = ImageDraw.Draw(sheet)
    title = section.title if can_draw(section.title) else UNWRITABLE_TITLE
    title = fit_text(title, 24, sheet.width - 2 * GAP)
    draw.text((GAP, top + TITLE // 2), title, INK, find_font(title, 24), anchor="lm")
    if not section.hits:
        draw.text((GAP, top + TITLE), "Nothing found.", FAINT, find_font("Nothing found.", 18))
    for position, hit in enumerate(section.hits):
        row, column = divmod(position, columns)
        left = GAP + column * (CELL + GAP)
        _draw_hit(sheet, hit, section.caption(position), left, top + TITLE + row * (CELL + CAPTION + GAP))


def _draw_hit(sheet: Image.Image, hit: ListedImage, caption: str, left: int, top: int) -> None:
    draw = ImageDraw.Draw(sheet)
    draw.rounded_rectangle((left, top, left + CELL, top + CELL), 10, FRAME)
    small = thumbnail(hit.path, CELL - 12, hit.frame_number)
    if small is None:
        draw.text((left + CELL // 2, top + CELL // 2), "missing", FAINT, find_font("missing", 18), anchor="mm")
    else:
        sheet.paste(small, (left + (CELL - small.width) // 2, top + (CELL - small.height) // 2))
    # Two separate texts: a right-to-left file name would reorder the rank and the score.
    middle = top + CELL + CAPTION // 2 + 2
    width = _draw_text(draw, f"{caption}  ", left + 2, middle, CELL)
    if width < CELL - MIN_NAME_WIDTH:
        _draw_text(draw, hit.path.name, left + 2 + width, middle, CELL - width)


def _draw_text(draw: ImageDraw.ImageDraw, text: str, left: int, middle: int, max_width: int) -> int:
    """Draw as much of `text` as fits into `max_width` pixels, and return its width."""
    text = fit_text(text, 15, max_width)
    font = find_font(text, 15)
    draw.text((left, middle), text, FAINT, font, anchor="lm")
    return round(font.getlength(text))
