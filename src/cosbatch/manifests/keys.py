"""Percent-decoding of keys, strict: what cannot be decoded is refused, never left as it stands."""

from __future__ import annotations

import re
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

    The commonest sequences are replaced in one sweep over all keys. That is safe in a text in which every ``%`` begins
    a percent sequence, as long as none of them gives another ``%``.
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
    swept = joined.replace("%2F", "/").replace("%20", " ").split("\n")
    return [unquote_to_bytes(text).decode() if "%" in text else text for text in swept]
