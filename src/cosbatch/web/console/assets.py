"""The files of the built console, read into memory once: a path that a client sends is looked up, never opened."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

PAGE: Final = "index.html"
"""The one page: the console's own script finds out from the address what it shows."""
HASHED: Final = "assets/"
"""Below it a file's name has the hash of its content: what such a name stands for never changes."""
_CONTENT_TYPES: Final[Mapping[str, str]] = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".jpg": "image/jpeg",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".map": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
}
"""Our own: the machine's table of types may lack one of them, or say something else."""
_COMPRESSED_ALREADY: Final = frozenset({".ico", ".jpg", ".png", ".webp", ".woff2"})
_WORTH_COMPRESSING_BYTES: Final = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    content: bytes
    content_type: str
    etag: str
    """Weak, with its quotes: the same for both encodings of a content."""
    gzipped: bytes | None
    """None where gzip would gain nothing."""


def read_assets(folders: Iterable[Path]) -> Mapping[str, Asset]:
    """Path below ``/ui/`` -> file, of the first folder that has the page; empty where none has it, because the console
    was not built. Reads and compresses some MB: for a thread. OSError where a file cannot be read.
    """
    for folder in folders:
        if (folder / PAGE).is_file():
            files = (path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink())
            return MappingProxyType({path.relative_to(folder).as_posix(): _read(path) for path in files})
    return MappingProxyType({})


def _read(path: Path) -> Asset:
    content = path.read_bytes()
    suffix = path.suffix.lower()
    return Asset(
        content=content,
        content_type=_CONTENT_TYPES.get(suffix, "application/octet-stream"),
        etag=f'W/"{hashlib.sha256(content).hexdigest()[:32]}"',
        gzipped=None if suffix in _COMPRESSED_ALREADY else _gzipped(content),
    )


def _gzipped(content: bytes) -> bytes | None:
    if len(content) < _WORTH_COMPRESSING_BYTES:
        return None
    smaller = gzip.compress(content, mtime=0)
    return smaller if len(smaller) < len(content) else None
