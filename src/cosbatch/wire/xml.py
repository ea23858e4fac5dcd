"""XML as elements with a name, children and text: read safely, written as COS writes it.

What is read comes from anybody, so a document type (and with it every entity), too many bytes, levels or elements are
refused, and nothing is ever fetched. Names lose their namespace, attributes are not looked at: no dialect that is
served here says anything with them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final
from xml.sax.saxutils import escape

from lxml import etree

from cosbatch.model.errors import MalformedDocument

DEPTH_MAX: Final = 32
"""The deepest legal element, ``Grantee/Identifier``, stands on level 7."""
ELEMENTS_MAX: Final = 10_000
"""A request with 100 grants, 10 tags and 2 KiB of metadata has 1,500."""

_DECLARATION: Final = "<?xml version='1.0' encoding='utf-8'?>\n"
_NOT_IN_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_IN_TEXT: Final = {'"': "&quot;", "\r": "&#13;"}
"""COS writes quotes in text as entities; a bare CR would be read as LF."""


@dataclass(slots=True, kw_only=True)
class Element:
    """An element. Where it has children, its text is what stands around them."""

    name: str
    children: list[Element] = field(default_factory=list)
    text: str = ""


def leaf(name: str, text: str) -> Element:
    return Element(name=name, text=text)


def branch(name: str, *children: Element | None) -> Element:
    """An element with those of ``children`` that are there."""
    return Element(name=name, children=[child for child in children if child is not None])


def parse(body: bytes) -> Element:
    """The root. MalformedDocument where it is not well-formed, or more than a request can be.

    The caller has limited the size of ``body``.
    """
    parser = etree.XMLParser(
        target=_Builder(),
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        recover=False,
    )
    try:
        root = etree.fromstring(body, parser)
    except etree.XMLSyntaxError as error:
        raise MalformedDocument(f"the body is not well-formed XML: {_first_line(error.msg)}") from None
    assert isinstance(root, Element)
    return root


def _first_line(text: str | None) -> str:
    return (text or "unreadable").strip().splitlines()[0][:200]


class _Builder:
    """What the parser tells about a document, as elements. An error that it raises ends the parsing."""

    def __init__(self) -> None:
        self._root: Element | None = None
        self._open: list[tuple[Element, list[str]]] = []
        """With the pieces of each one's text: one for each character that is written as a number."""
        self._count = 0

    def doctype(self, name: str, public_id: str | None, system: str | None) -> None:
        raise MalformedDocument("the body has a document type; leave <!DOCTYPE> out")

    def start(self, tag: str | bytes, attrib: object) -> None:
        element = Element(name=str(tag).rpartition("}")[2])
        self._count += 1
        if self._count > ELEMENTS_MAX:
            raise MalformedDocument(f"the body has more than {ELEMENTS_MAX} elements")
        if len(self._open) == DEPTH_MAX:
            raise MalformedDocument(f"the body is more than {DEPTH_MAX} levels deep")
        if self._open:
            self._open[-1][0].children.append(element)
        else:
            self._root = element
        self._open.append((element, []))

    def end(self, tag: str | bytes) -> None:
        element, pieces = self._open.pop()
        element.text = "".join(pieces)

    def data(self, data: str | bytes) -> None:
        self._open[-1][1].append(str(data))

    def comment(self, text: str | bytes) -> None:
        """Says nothing."""

    def pi(self, target: str, data: str | None = None) -> None:
        """Says nothing."""

    def close(self) -> Element | None:
        return self._root


def write(root: Element, *, with_declaration: bool = False) -> bytes:
    """UTF-8. Characters that XML cannot hold become U+FFFD."""
    parts = [_DECLARATION] if with_declaration else []
    _write(root, parts)
    return "".join(parts).encode()


def _write(element: Element, parts: list[str]) -> None:
    parts.append(f"<{element.name}>")
    if element.children:
        for child in element.children:
            _write(child, parts)
    else:
        parts.append(escape(_NOT_IN_XML.sub("\ufffd", element.text), _IN_TEXT))
    parts.append(f"</{element.name}>")
