"""Which job file made which runs: ``runs.json`` in the data folder.

It only remembers tokens, written before the job is made; what became of a run is the ledger's to say. So a crash at any
point leaves at worst a token of which the ledger knows nothing.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from cosbatch.model.errors import Fault, InvalidArgument

TOKENS_KEPT: Final = 50
"""Of one job file; the oldest go first."""


class RunsIndex:
    """Tokens by the job file's whole path."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "runs.json"
        self._lock_path = folder / "runs.lock"

    def tokens(self, job_file: Path) -> list[str]:
        """Of all runs of the file, oldest first."""
        return self._read().get(str(job_file.resolve()), [])

    def remember(self, job_file: Path, token: str) -> None:
        """On disk when this returns."""
        with self._locked():
            known = self._read()
            name = str(job_file.resolve())
            tokens = [other for other in known.get(name, []) if other != token]
            self._write(known | {name: [*tokens, token][-TOKENS_KEPT:]})

    def _read(self) -> dict[str, list[str]]:
        try:
            return _tokens_by_file(json.loads(self._path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return {}
        except (ValueError, RecursionError) as error:
            fault = Fault(
                path=str(self._path),
                value="",
                problem="is damaged",
                way_out="remove it: jobs go on without it, but a changed job file is not noticed any more",
            )
            raise InvalidArgument("the list of runs cannot be read", faults=[fault]) from error

    def _write(self, known: dict[str, list[str]]) -> None:
        fresh = self._path.with_suffix(".new")
        fresh.touch(mode=0o600)
        with fresh.open("w", encoding="utf-8") as file:
            json.dump(known, file, ensure_ascii=False, indent=1)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._path)
        folder = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._lock_path.open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def _tokens_by_file(found: Any) -> dict[str, list[str]]:
    """ValueError for another shape than we write."""
    if not isinstance(found, dict):
        raise ValueError("no object")
    for tokens in found.values():
        if not isinstance(tokens, list) or not all(isinstance(token, str) for token in tokens):
            raise ValueError("no list of tokens")
    return found
