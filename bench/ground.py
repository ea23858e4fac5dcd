"""What all measurements of one run stand on: a folder, a real store for manifests and reports, the null store."""

from __future__ import annotations

import contextlib
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bench.null_store import CONTROL_BUCKET, NullStore, null_store
from tests.stores import RealStore, seaweedfs

LISTED: Final = 10_000
"""Objects that the null store shows in a listing: what other programs copy, which take longer for each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    folder: Path
    store: RealStore
    null: NullStore
    began: float

    @property
    def admin(self) -> Any:
        """boto3, of the real store."""
        return self.store.admin()

    def say(self, line: str) -> None:
        """What is going on, for whoever waits; the table alone goes to standard output."""
        print(f"[{time.monotonic() - self.began:6.1f} s] {line}", file=sys.stderr, flush=True)


@contextlib.contextmanager
def ground() -> Iterator[Ground]:
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cosbatch-bench-")))
        store = stack.enter_context(seaweedfs(folder / "store"))
        store.admin().create_bucket(Bucket=CONTROL_BUCKET)
        null = stack.enter_context(null_store(folder / "null", control_port=store.port, listed=LISTED))
        yield Ground(folder=folder, store=store, null=null, began=time.monotonic())
