"""Memory as TLS connections use it, kept from going back to the kernel between two answers."""

from __future__ import annotations

from typing import Final

LARGEST_KEPT_BYTES: Final = 8 * 2**20


def keep_large_blocks() -> None:
    """To be called once, early in a process that speaks TLS.

    Reading from a TLS connection allocates a buffer above glibc's threshold for mmap (128 KiB), so that every answer
    would cost three system calls and fresh pages. glibc raises that threshold, and the one for giving memory back, when
    a larger block is freed (mallopt(3), M_MMAP_THRESHOLD); other allocators take no harm.
    """
    bytearray(LARGEST_KEPT_BYTES)
