"""Puts the built console into wheels and sdists. An editable install has none, and takes no Node."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any, Final

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_PACKED: Final = {"wheel": "cosbatch/web/console_assets", "sdist": "console/dist"}
"""Target -> where the built console goes in it."""
_PAGE: Final = "index.html"
_SOURCES: Final = ("*.html", "*.json", "*.ts", "public/**/*", "src/**/*")
_MADE: Final = "schema.d.ts"
"""Made anew from the API's document by every build and check."""
_API: Final = Path("docs", "reference", "openapi.json")
"""The console's types are made from it."""
_COMMANDS: Final = (("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"), ("npm", "run", "build"))
_NO_NPM: Final = (
    "The console goes into this build of cosbatch, and building it takes npm, which is not there. Install Node.js 20 or"
    " newer with npm, or build from the sdist, which has the built console. An editable install (pip install -e) does"
    " without."
)


class ConsoleHook(BuildHookInterface):  # type: ignore[type-arg]  # its parameter is hatchling's own
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            return
        root = Path(self.root)
        if not _is_built(root):
            self._build(root / "console")
        built = root / "console" / "dist"
        if not (built / _PAGE).is_file():
            self.app.abort(f"The build of the console has left no {built / _PAGE}.")
        for path in sorted(built.rglob("*")):
            if path.is_file() and path.suffix != ".map":
                place = f"{_PACKED[self.target_name]}/{path.relative_to(built).as_posix()}"
                build_data["force_include"][str(path)] = place

    def _build(self, folder: Path) -> None:
        npm = shutil.which("npm")
        if npm is None:
            self.app.abort(_NO_NPM)
            return
        for command in _COMMANDS:
            self.app.display_info(f"console: {' '.join(command)}")
            done = subprocess.run([npm, *command[1:]], cwd=folder, check=False)
            if done.returncode != 0:
                self.app.abort(f"`{' '.join(command)}` in {folder} has failed with exit code {done.returncode}.")


def _is_built(root: Path) -> bool:
    """Whether the console was built after the last change of what it is made from, as make would see it. What an sdist
    has is taken as it came: unpacking may give its files any times."""
    page = root / "console" / "dist" / _PAGE
    if not page.is_file():
        return False
    built_at = page.stat().st_mtime_ns
    return (root / "PKG-INFO").is_file() or all(path.stat().st_mtime_ns <= built_at for path in _sources(root))


def _sources(root: Path) -> list[Path]:
    found = [root / _API]
    for pattern in _SOURCES:
        found += (root / "console").glob(pattern)
    return [path for path in found if path.is_file() and path.name != _MADE]
