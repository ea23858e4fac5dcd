"""Where the built console is."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import cosbatch

PACKED: Final = Path("web", "console_assets")
"""Below the package, where the build of a wheel puts it."""
_PACKAGE: Final = Path(cosbatch.__file__).parent


def console_folders(package: Path = _PACKAGE) -> list[Path]:
    """Those that may have it, the best one first: the package; the source tree, where the package runs from one.
    Whether it is there is found out by whoever serves it."""
    tree = package.parent.parent / "console"
    return [package / PACKED, *([tree / "dist"] if (tree / "package.json").is_file() else [])]
