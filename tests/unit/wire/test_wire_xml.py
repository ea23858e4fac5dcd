from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from cosbatch.model.errors import MalformedDocument
from cosbatch.wire.xml import DEPTH_MAX, ELEMENTS_MAX, Element, branch, leaf, parse, write

LAUGHS = b"""<!DOCTYPE a [<!ENTITY x "ha"><!ENTITY y "&x;&x;&x;&x;&x;&x;&x;&x;">]><a>&y;</a>"""
FILE = b"""<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]><a>&x;</a>"""


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (LAUGHS, "document type"),
        (FILE, "document type"),
        (b"<!DOCTYPE a><a/>", "document type"),
        ('<?xml version="1.0" encoding="utf-16"?><!DOCTYPE a><a/>'.encode("utf-16"), "document type"),
        (b"<a>&x;</a>", "not well-formed"),
        (b"<a>", "not well-formed"),
        (b"<a/><b/>", "not well-formed"),
        (b"a", "not well-formed"),
        (b"", "not well-formed"),
        (b"<a>\x00</a>", "not well-formed"),
        (b"<a>\xff</a>", "not well-formed"),
        (b'<?xml version="1.0" encoding="none"?><a/>', "not well-formed"),
        (b"<a>" * (DEPTH_MAX + 1), "levels deep"),
        (b"<a>" + b"<b/>" * ELEMENTS_MAX + b"</a>", "elements"),
    ],
)
def test_what_is_no_document_is_refused(body: bytes, words: str) -> None:
    with pytest.raises(MalformedDocument, match=words):
        parse(body)


def test_the_deepest_and_the_largest_that_are_allowed_are_read() -> None:
    parse(b"<a>" * DEPTH_MAX + b"</a>" * DEPTH_MAX)
    assert len(parse(b"<a>" + b"<b/>" * (ELEMENTS_MAX - 1) + b"</a>").children) == ELEMENTS_MAX - 1


def test_names_lose_their_namespace_and_comments_and_instructions_say_nothing() -> None:
    body = (
        b"<?x y?><a xmlns='urn:x' b='c'><!-- no --><b xmlns:y='urn:y' y:c='d'>1<?x y?>2<![CDATA[<3>]]></b></a><!-- -->"
    )
    assert parse(body) == branch("a", leaf("b", "12<3>"))


def test_text_may_come_in_a_hundred_thousand_pieces() -> None:
    assert parse(b"<a>" + b"&#34;" * 100_000 + b"</a>").text == '"' * 100_000


def test_quotes_and_returns_are_written_as_entities_and_what_xml_cannot_hold_is_replaced() -> None:
    assert write(leaf("a", '"<&>\r\n\x00\ud800')) == "<a>&quot;&lt;&amp;&gt;&#13;\n\ufffd\ufffd</a>".encode()


texts = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=40).filter(
    lambda text: (
        all(character in "\t\n\r" or character >= " " for character in text)
        and not any(character in "\ufffe\uffff" for character in text)
    )
)
elements = st.recursive(
    st.builds(leaf, st.sampled_from(["a", "b", "C1"]), texts),
    lambda inner: st.builds(
        lambda name, children: branch(name, *children), st.sampled_from(["d", "e"]), st.lists(inner, max_size=3)
    ),
    max_leaves=15,
)


@given(elements)
def test_what_is_written_is_read_back(element: Element) -> None:
    assert parse(write(element)) == element


@given(elements)
def test_another_parser_reads_the_same(element: Element) -> None:
    def same(ours: Element, theirs: etree._Element) -> bool:
        return (
            ours.name == theirs.tag
            and (bool(ours.children) or ours.text == (theirs.text or ""))
            and len(ours.children) == len(theirs)
            and all(map(same, ours.children, theirs))
        )

    assert same(element, etree.fromstring(write(element, with_declaration=True)))


@given(st.binary(max_size=300) | st.text(max_size=100).map(lambda text: f"<a>{text}</a>".encode("utf-8", "replace")))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    with suppress(MalformedDocument):
        assert parse(body).name
