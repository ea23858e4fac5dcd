"""Damage to bytes: what disks, networks and editors do to a file, for tests of whatever reads one."""

from __future__ import annotations

from typing import Final

from hypothesis import strategies as st

TELLING: Final = (
    b"\0",
    b"\t",
    b"\n",
    b"\r",
    b"\r\n",
    b" ",
    b'"',
    b'""',
    b"%",
    b"+",
    b",",
    b":",
    b"0",
    b"9",
    b"\x7f",
    b"\xff",
)
"""Bytes that mean something to one reader or the other."""


@st.composite
def damaged(draw: st.DrawFn, content: bytes, *, changes: int = 3) -> bytes:
    """``content`` after one to ``changes`` changes; it may come out as it was."""
    for _ in range(draw(st.integers(1, changes))):
        content = draw(_one_change(content))
    return content


@st.composite
def _one_change(draw: st.DrawFn, content: bytes) -> bytes:
    start = draw(st.integers(0, len(content)))
    end = draw(st.integers(start, min(len(content), start + 40)))
    block = content[start:end]
    kind = draw(st.sampled_from(["flip", "replace", "insert", "delete", "double", "cut off", "cut front"]))
    match kind:
        case "flip" if block:
            return content[:start] + bytes([block[0] ^ 1 << draw(st.integers(0, 7))]) + content[start + 1 :]
        case "replace" if block:
            return content[:start] + draw(_pieces()) + content[start + 1 :]
        case "insert":
            return content[:start] + draw(_pieces()) + content[start:]
        case "delete":
            return content[:start] + content[end:]
        case "double":
            return content[:end] + block + content[end:]
        case "cut off":
            return content[:start]
        case "cut front":
            return content[end:]
    return content


def _pieces() -> st.SearchStrategy[bytes]:
    return st.sampled_from(TELLING) | st.binary(min_size=1, max_size=4)
