"""Percent-decoding of keys, strict: what cannot be decoded is refused, never left as it stands."""

from __future__ import annotations

import re
from binascii import a2b_qp
from collections.abc import Sequence
from typing import Final
from urllib.parse import unquote_to_bytes

KEY_LIMIT_BYTES: Final = 1024
"""S3 and COS take no longer key, in UTF-8 bytes."""
_BAD_ESCAPE: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")


def decode_key(text: str) -> str:
    """``+`` is a space, ``%2B`` a plus. ValueError says what is wrong, as the end of a sentence."""
    if "+" in text:
        text = text.replace("+", " ")
    if "%" not in text:
        return text
    bad = _BAD_ESCAPE.search(text)
    if bad:
        raise ValueError(f"{text[bad.start() : bad.start() + 3]!r} is no percent sequence")
    try:
        return unquote_to_bytes(text).decode()
    except UnicodeDecodeError as error:
        raise ValueError("its bytes are no UTF-8") from error


def decode_keys(texts: Sequence[str]) -> Sequence[str]:
    """:func:`decode_key` on many at once: ValueError where one of them cannot be decoded.

    All of them are decoded as one text, a line for each: one call costs more than the sequences of one key. A line feed
    is in no sequence of UTF-8, so that none can reach over the end of a key.
    """
    joined = "\n".join(texts)
    if "%" not in joined and "+" not in joined:
        return texts
    if joined.count("\n") != len(texts) - 1:
        return [decode_key(text) for text in texts]
    joined = joined.replace("+", " ")
    if "%" not in joined:
        return joined.split("\n")
    if _BAD_ESCAPE.search(joined):
        raise ValueError("a key cannot be decoded")
    # Quoted-printable is the same with another sign, and the library decodes it in C: in a fifth of the time.
    joined = a2b_qp(joined.replace("=", "=3D").replace("%", "=").encode()).decode()
    if joined.count("\n") != len(texts) - 1:
        return [decode_key(text) for text in texts]
    return joined.split("\n")
