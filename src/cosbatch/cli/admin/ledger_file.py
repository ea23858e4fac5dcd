"""``cosbatch admin backup``, ``restore`` and ``rotate-key``."""

from __future__ import annotations

from pathlib import Path

import click

from cosbatch.cli.admin.asking import ADMIN_SHARED, FILES_SHARED, tell
from cosbatch.cli.admin.desks import check_is_here, operator
from cosbatch.cli.invocation import Invocation, run_async, verb
from cosbatch.cli.output import counted, size

_FILE = click.argument("file", type=click.Path(dir_okay=False, path_type=Path))


@verb("backup", shared=FILES_SHARED)
@_FILE
@click.option("--force", is_flag=True, help="Replace a file that is there.")
def backup(invocation: Invocation, *, file: Path, force: bool) -> int:
    """Copy the ledger into FILE, as it is at one moment; services go on meanwhile.

    The encryption key is not in it: keep a copy of that in another place.
    """
    check_is_here(invocation, "backup")
    size_bytes = invocation.wiring.back_up_ledger(invocation.state_folder, file, force=force)
    document = {"file": str(file), "size_bytes": size_bytes}
    return tell(invocation, document, f"The ledger is in {file} ({size(size_bytes)}); the encryption key is not")


@verb("restore", shared=FILES_SHARED)
@_FILE
@click.option("--force", is_flag=True, help="Replace a ledger that is there; it is kept beside the new one.")
def restore(invocation: Invocation, *, file: Path, force: bool) -> int:
    """Make the ledger what it was when FILE was made. Refused while anything works on the data folder.

    The encryption key has to be the one of then: the data folder's, or the one that the settings name.
    """
    check_is_here(invocation, "restore")
    kept = invocation.wiring.restore_ledger(invocation.state_folder, file, force=force)
    document = {"file": str(file), "replaced": str(kept) if kept else None}
    before = f"; what was there is in {kept}" if kept else ""
    return tell(invocation, document, f"The ledger is restored from {file}{before}")


@verb("rotate-key", shared=ADMIN_SHARED)
def rotate_key(invocation: Invocation) -> int:
    """Encrypt all secrets of the ledger with a new key. Refused while anything works on the data folder.

    A key in a file is made and dropped by this command. Where it comes from a variable or a command, put the new key
    before the old one first, one a line, and take the old one out afterwards. Broken off, call it again.
    """
    check_is_here(invocation, "rotate-key")
    done = run_async(invocation.wiring.rotate_key(invocation.settings(), invocation.state_folder, caller=operator()))
    document = {
        "key_id": done.key_id,
        "older_key_ids": list(done.older_ids),
        "secrets": done.secrets,
        "drops_older": done.drops_older,
    }
    older = ", ".join(done.older_ids)
    rest = f"{older} is gone" if done.drops_older else f"{older} opens nothing any more: take it out"
    return tell(invocation, document, f"{counted(done.secrets, 'secret')} encrypted with key {done.key_id}; {rest}")
