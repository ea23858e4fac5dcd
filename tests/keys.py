"""Any key that an object can have: 1 to 1,024 bytes of UTF-8, whatever they are."""

from __future__ import annotations

from typing import Final

from hypothesis import strategies as st

from cosbatch.model.identifiers import ObjectKey

KEY_BYTES: Final = 1024
ODD: Final = (
    *("\n", "\r", "\r\n", '"', '""', ",", "%", "%41", "%2F", "%zz", "+", "%2B", " ", "  ", "\t", "\0", "\x7f"),
    *("/", "//", "./", "../", "..", "=", "=1+1", "@", "-", "\\", "'", ";", "&", "?", "#", "*", ":", "~", "|"),
    *("\ufeff", "\u2028", "\x85", "\xa0", "é", "e\u0301", "中文", "😀", "bucket", "key", "null"),
)
LETTERS: Final = st.characters(exclude_categories=["Cs"])


def _fitting(text: str) -> str:
    """As much of it as fits into a key."""
    return text.encode()[:KEY_BYTES].decode(errors="ignore") or "k"


def _long(text: str) -> str:
    return _fitting(text * (KEY_BYTES // len(text.encode()) + 1))


PIECES: Final = st.lists(st.sampled_from(ODD) | st.text(LETTERS, max_size=5), min_size=1, max_size=12)
KEYS: Final = st.one_of(
    PIECES.map("".join).map(_fitting),
    PIECES.map("".join).map(_fitting).map(_long),
    st.text(LETTERS, min_size=1, max_size=40),
).map(ObjectKey)
