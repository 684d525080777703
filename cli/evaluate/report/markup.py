"""HTML and SVG elements with everything escaped, and the style sheet of a report.

The markup is well-formed both as HTML and as XML.
"""

import html
import re
from collections.abc import Sequence

__all__ = ["COLOUR_COUNT", "STYLE", "element", "escaped", "numbers_table"]

_NOT_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML cannot contain: control characters, and surrogates, which stand for bytes that are not UTF-8."""

_EMPTY_ELEMENTS = frozenset(("circle", "image", "line", "meta", "polyline", "use"))
"""Elements without content. HTML needs an end tag for all others."""


def escaped(text: object) -> str:
    """Return `text` with all markup escaped."""
    return html.escape(_NOT_XML.sub("\ufffd", str(text)))


def element(tag: str, *content: str, **attributes: object) -> str:
    """Return `<tag>` around `content`, which is markup. In attribute names `_` stands for `-`; `class_` is `class`."""
    named = ((name.rstrip("_").replace("_", "-"), value) for name, value in attributes.items() if value is not None)
    opening = "".join([tag, *(f' {name}="{escaped(value)}"' for name, value in named)])
    return f"<{opening}/>" if tag in _EMPTY_ELEMENTS else f"<{opening}>{''.join(content)}</{tag}>"


def numbers_table(head: Sequence[str], rows: Sequence[str]) -> str:
    """Return a table of numbers with these column heads; `rows` are markup. It scrolls on narrow screens."""
    top = element("thead", element("tr", *(element("th", escaped(name), scope="col") for name in head)))
    return element("div", element("table", top, element("tbody", *rows), class_="numbers"), class_="wide")


COLOUR_COUNT = 6
"""Number of series with a colour of their own, after Okabe and Ito, "Color universal design", 2008."""

STYLE = (
    """
:root { color-scheme: light dark; --paper: #fdfcfa; --card: #fff; --ink: #1c1d21; --faint: #63656c; --rule: #dcdad5;
  --c0: #0067a5; --c1: #c84e00; --c2: #008560; --c3: #b0558a; --c4: #a87000; --c5: #3f8fc4; --grey: #b3b1ac; }
@media (prefers-color-scheme: dark) { :root { --paper: #15161a; --card: #1e2025; --ink: #eeeef0; --faint: #a3a5ad;
  --rule: #35373e; --c0: #5cb0ec; --c1: #f58f4b; --c2: #3cc79b; --c3: #e39ac6; --c4: #e9b949; --c5: #9ad2f7;
  --grey: #5d5f67; } }
@media print { :root { --paper: #fff; } body { max-width: none; } section { break-inside: auto; } }
body { margin: 2.5rem auto; max-width: 72rem; padding: 0 1.5rem; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, "Noto Sans", sans-serif; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .4rem; }
h2 { font-size: 1.35rem; margin: 3rem 0 .3rem; padding-top: 1rem; border-top: 2px solid var(--ink); }
h3 { font-size: 1.05rem; margin: 2rem 0 .6rem; }
p { margin: .4rem 0; max-width: 52rem; }
.faint, figcaption, small, dd { color: var(--faint); }
figcaption { font-size: .88rem; max-width: 52rem; margin-bottom: .7rem; }
figcaption b { color: var(--ink); }
figure { margin: 1.4rem 0; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
table.numbers { min-width: 60%; border-top: 1.5px solid var(--ink); border-bottom: 1.5px solid var(--ink); }
.numbers th, .numbers td { padding: .3rem .8rem; text-align: right; font-weight: 400; white-space: nowrap; }
.numbers th:first-child, .numbers td:first-child { text-align: left; position: sticky; left: 0;
  background: var(--paper) padding-box; }
.numbers thead th { font-weight: 600; border-bottom: 1px solid var(--ink); }
.numbers small { display: block; font-size: .74rem; line-height: 1.2; }
.numbers tr.pooled td, .numbers tr.system td { border-top: 1px solid var(--rule); }
.numbers tr.pooled td { font-weight: 600; } .numbers tr.pooled small { font-weight: 400; }
.numbers tr.system td { color: var(--faint); text-align: left; padding-top: .6rem; }
.up { color: var(--c2); } .down { color: var(--c1); }
.panels { display: grid; gap: .4rem 1.2rem; grid-template-columns: repeat(auto-fill, minmax(15.5rem, 1fr)); }
svg { display: block; width: 100%; height: auto; }
svg text { fill: var(--faint); font: 10px system-ui, "Noto Sans", sans-serif; }
svg .name { fill: var(--ink); font-weight: 600; font-size: 11px; }
svg .grid { stroke: var(--rule); stroke-width: 1; } svg .axis { stroke: var(--faint); stroke-width: 1; }
svg .pooled { stroke: var(--grey); fill: none; stroke-width: 1.5; }
svg .diagonal { stroke: var(--faint); stroke-width: 1; stroke-dasharray: 4 3; }
.forest { max-width: 44rem; } .reliability { max-width: 27rem; }
.legend { display: flex; flex-wrap: wrap; gap: .2rem 1.4rem; font-size: .88rem; padding: 0; margin: 0 0 .6rem;
  list-style: none; }
.legend svg { display: inline-block; width: 30px; height: 10px; margin-right: .45rem; vertical-align: middle; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1.2rem; font-size: .9rem; }
dt { font-weight: 600; } dd { margin: 0; }
.queries { display: grid; gap: .9rem; }
.query { background: var(--card); border: 1px solid var(--rule); border-radius: .6rem; padding: .8rem 1rem; }
.query > p { margin: 0 0 .6rem; max-width: none; } .query b { font-variant-numeric: tabular-nums; }
.rows { display: flex; flex-wrap: wrap; gap: .5rem 1.6rem; } .rows > div > small { display: block; }
.items { display: flex; flex-wrap: wrap; gap: .4rem; margin-top: .2rem; }
.item { width: 6.6rem; font-size: .7rem; line-height: 1.25; color: var(--faint); overflow-wrap: anywhere; }
.sheet { position: absolute; width: 0; height: 0; }
.item .picture, .gone { display: block; width: 6.6rem; height: 5rem; border-radius: .3rem; }
.gone { display: grid; place-items: center; border: 1px dashed var(--rule); box-sizing: border-box; }
.gone.words { display: block; overflow: hidden; padding: .3rem .4rem; line-height: 1.25; color: var(--ink); }
.item.right .picture, .item.right .gone { outline: 3px solid var(--c2); outline-offset: -3px; }
.item.text { width: 12.4rem; margin-right: .6rem; font-size: .82rem; color: var(--ink); }
.item.text.right { color: var(--c2); } .item.text span + span { display: block; color: var(--faint); }
code { font-size: .85rem; overflow-wrap: anywhere; }
@media (max-width: 40rem) { body { margin: 1.2rem auto; padding: 0 1rem; } h2 { margin-top: 2rem; }
  .numbers { font-size: .88rem; } .numbers th, .numbers td { padding: .3rem .4rem; }
  svg.forest text { font-size: 15px; } svg.forest .name { font-size: 17px; }
  .item, .item .picture, .gone { width: 5rem; } .item.text { width: 100%; }
  .item .picture, .gone { height: 3.8rem; } dl { grid-template-columns: 1fr; } dd { margin-bottom: .4rem; } }
""".strip()
    + "".join(f"\n.s{number} {{ --series: var(--c{number}); }}" for number in range(COLOUR_COUNT))
    + """
.line { stroke: var(--series); fill: none; stroke-width: 1.8; } .dot, .bar { fill: var(--series); }
.s1 .line { stroke-dasharray: 6 3; } .s2 .line { stroke-dasharray: 2 2.5; } .s3 .line { stroke-dasharray: 8 3 2 3; }
.s4 .line { stroke-dasharray: 11 4; } .s5 .line { stroke-dasharray: 4 2 1 2; }
.whisker { stroke: var(--series); stroke-width: 1.6; fill: none; }
"""
)
