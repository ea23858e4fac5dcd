"""Where the keys are that encrypt the secrets of a ledger."""

from __future__ import annotations

from pathlib import Path

from cosbatch.identity.ciphers import KeyRing
from cosbatch.identity.key_sources import key_file, load_key_ring
from cosbatch.settings import Settings


def key_ring(settings: Settings, data_dir: Path, *, may_make: bool) -> KeyRing:
    """InvalidArgument where they cannot be read, or are not there and ``may_make`` is False."""
    return load_key_ring(data_dir, may_make=may_make)


def key_ring_file(settings: Settings, data_dir: Path) -> Path | None:
    """The file that they stand in; None where they come from elsewhere."""
    return key_file(data_dir)
