"""Another revision of cosbatch to run beside this one: ``make bench BASE=<rev>``."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parent.parent


@contextlib.contextmanager
def checked_out(revision: str, folder: Path) -> Iterator[Mapping[str, str]]:
    """The environment in which Python finds cosbatch as it was then, with the packages that are installed now.

    RuntimeError where there is no such revision, or Python would find this one all the same.
    """
    tree = folder / "base"
    _git("worktree", "add", "--detach", "--quiet", str(tree), revision)
    try:
        environ = {"PYTHONPATH": str(tree / "src")}
        command = [sys.executable, "-c", "import cosbatch; print(cosbatch.__file__)"]
        found = subprocess.run(command, env=environ, cwd=folder, capture_output=True, text=True, check=True).stdout
        if not Path(found.strip()).is_relative_to(tree):
            raise RuntimeError(f"Python finds {found.strip()} instead of the revision {revision}")
        yield environ
    finally:
        _git("worktree", "remove", "--force", str(tree))


def _git(*arguments: str) -> None:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr.strip())
