"""Where the keys are that encrypt the secrets of a ledger."""

from __future__ import annotations

from pathlib import Path

from cosbatch.identity.ciphers import KeyRing
from cosbatch.identity.key_sources import key_file, load_key_ring
from cosbatch.settings import Settings


def key_ring(settings: Settings, data_dir: Path, *, may_make: bool) -> KeyRing:
    """From where the settings say; InvalidArgument where they cannot be read, or are not there and ``may_make`` is
    False."""
    source = settings.server.encryption_key
    if source is None:
        return load_key_ring(data_dir, may_make=may_make)
    return load_key_ring(
        data_dir,
        file=Path(source.name) if source.kind == "file" else None,
        variable=source.name if source.kind == "env" else "",
        command=source.name if source.kind == "command" else "",
        may_make=may_make,
    )


def key_ring_file(settings: Settings, data_dir: Path) -> Path | None:
    """The file that they stand in; None where they come from elsewhere."""
    source = settings.server.encryption_key
    if source is None:
        return key_file(data_dir)
    return Path(source.name) if source.kind == "file" else None
