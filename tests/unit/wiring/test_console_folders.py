"""Where the built console is looked for."""

from __future__ import annotations

from pathlib import Path

from cosbatch.wiring.console import console_folders


def test_an_installed_package_brings_it(tmp_path: Path) -> None:
    package = tmp_path / "lib" / "cosbatch"
    assert console_folders(package) == [package / "web" / "console_assets"]


def test_in_a_source_tree_the_last_build_of_it_does_too(tmp_path: Path) -> None:
    console = tmp_path / "console"
    console.mkdir()
    (console / "package.json").write_text("{}")
    package = tmp_path / "src" / "cosbatch"
    assert console_folders(package) == [package / "web" / "console_assets", console / "dist"]


def test_another_console_beside_the_package_is_not_ours(tmp_path: Path) -> None:
    (tmp_path / "console" / "dist").mkdir(parents=True)
    package = tmp_path / "src" / "cosbatch"
    assert console_folders(package) == [package / "web" / "console_assets"]
