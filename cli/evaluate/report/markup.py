"""Markup that is well-formed, both as HTML and as XML, and in which nothing from outside is ever taken for markup."""

import html
import re

__all__ = ["element", "escaped"]

_UNPRINTABLE = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What no XML may contain: control characters, and surrogates, which stand for bytes that are not UTF-8."""


_EMPTY = frozenset(("circle", "img", "line", "meta", "polyline"))
"""Elements without content; HTML wants an end of every other one."""


def escaped(text: object) -> str:
    """`text` as text."""
    return html.escape(_UNPRINTABLE.sub("\ufffd", str(text)))


def element(tag: str, *content: str, **attributes: object) -> str:
    """`<tag>` around `content`, which is markup. In the names of attributes `_` stands for `-`; `class_` is `class`."""
    named = ((name.rstrip("_").replace("_", "-"), value) for name, value in attributes.items() if value is not None)
    opening = "".join([tag, *(f' {name}="{escaped(value)}"' for name, value in named)])
    return f"<{opening}/>" if tag in _EMPTY else f"<{opening}>{''.join(content)}</{tag}>"
