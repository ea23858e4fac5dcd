"""What the builds of cosbatch have of the console, and what they take: a copy of the tree is built as pip does it.

npm is nowhere to be found, but in the tests with the mark ``console``, which build the real console with it. For the
others a few files stand for what it is built to.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import time
import venv
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import httpx
import pytest

ROOT: Final = Path(__file__).parent.parent.parent
COPIED: Final = (
    ".gitignore",
    "CHANGELOG.md",
    "LICENSE",
    "README.md",
    "console",
    "docs",
    "hatch_build.py",
    "pyproject.toml",
    "requirements",
    "src",
)
NOT_COPIED: Final = shutil.ignore_patterns("node_modules", "dist", "__pycache__", "*.db", "test-results")
BUILT: Final[Mapping[str, str]] = {
    "index.html": '<!doctype html><script type="module" src="/ui/assets/index-1f.js"></script>',
    "assets/index-1f.js": "console.log('built');",
    "assets/index-1f.js.map": "{}",
}
PACKED: Final = "cosbatch/web/console_assets"
NO_NPM: Final = {"PATH": "/nowhere"}
START_SECONDS: Final = 120
STOP_SECONDS: Final = 120

pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of the source tree, whose console is not built."""
    tree = tmp_path / "tree"
    tree.mkdir()
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, tree / name, ignore=NOT_COPIED)
        else:
            shutil.copy2(source, tree / name)
    return tree


def pretend_build(tree: Path) -> None:
    for name, content in BUILT.items():
        path = tree / "console" / "dist" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)


def build(tree: Path, target: str, *, environ: Mapping[str, str] = NO_NPM) -> Path:
    """Makes a ``wheel``, ``editable`` or ``sdist`` by the hook that pip calls; its path."""
    done = try_build(tree, target, environ=environ)
    assert done.returncode == 0, done.stdout + done.stderr
    return tree.parent / "made" / done.stdout.splitlines()[-1]


def try_build(tree: Path, target: str, *, environ: Mapping[str, str] = NO_NPM) -> subprocess.CompletedProcess[str]:
    made = tree.parent / "made"
    made.mkdir(exist_ok=True)
    program = f"from hatchling import build; print(build.build_{target}({str(made)!r}))"
    environ = {**os.environ, **environ}
    return subprocess.run(
        [sys.executable, "-c", program], cwd=tree, env=environ, capture_output=True, text=True, timeout=500, check=False
    )


def packed_in(wheel: Path) -> dict[str, str]:
    """Path below the console's folder -> content, of text files."""
    with zipfile.ZipFile(wheel) as opened:
        names = [name for name in opened.namelist() if name.startswith(f"{PACKED}/")]
        return {name.removeprefix(f"{PACKED}/"): opened.read(name).decode(errors="replace") for name in names}


def unpacked(sdist: Path, folder: Path) -> Path:
    with tarfile.open(sdist) as opened:
        opened.extractall(folder, filter="data")
    (tree,) = folder.iterdir()
    return tree


# --- without npm


def test_a_wheel_has_what_was_built_last(tree: Path) -> None:
    pretend_build(tree)
    wheel = build(tree, "wheel")
    assert packed_in(wheel) == {name: text for name, text in BUILT.items() if not name.endswith(".map")}
    with zipfile.ZipFile(wheel) as opened:
        assert [name for name in opened.namelist() if "node_modules" in name or name.startswith("console")] == []


def test_an_sdist_needs_no_npm_to_become_a_wheel(tree: Path, tmp_path: Path) -> None:
    pretend_build(tree)
    (tree / "console" / "node_modules" / "other").mkdir(parents=True)
    (tree / "console" / "node_modules" / "other" / "index.js").write_text("other's")
    source = unpacked(build(tree, "sdist"), tmp_path / "unpacked")
    for name in ("package.json", "package-lock.json", "src/main.tsx", "dist/index.html", "dist/assets/index-1f.js"):
        assert (source / "console" / name).is_file(), name
    assert not (source / "console" / "node_modules").exists()
    (source / "console" / "package.json").touch()  # times of files say nothing there
    assert packed_in(build(source, "wheel")) == packed_in(build(tree, "wheel"))


def test_an_editable_install_takes_no_npm_and_no_build(tree: Path) -> None:
    assert packed_in(build(tree, "editable")) == {}
    assert not (tree / "console" / "dist").exists()


@pytest.mark.parametrize("target", ["wheel", "sdist"])
def test_without_npm_the_way_out_is_told(tree: Path, target: str) -> None:
    done = try_build(tree, target)
    assert done.returncode == 1
    told = done.stdout + done.stderr
    for word in ("takes npm", "Node.js 20", "sdist", "pip install -e"):
        assert word in told
    assert "Traceback" not in told


@pytest.mark.parametrize(
    "changed",
    ["console/src/main.tsx", "console/package-lock.json", "console/new.config.ts", "docs/reference/openapi.json"],
)
def test_a_build_that_is_older_than_its_source_is_not_packed(tree: Path, changed: str) -> None:
    pretend_build(tree)
    built_at = (tree / "console" / "dist" / "index.html").stat().st_mtime
    (tree / changed).touch()
    os.utime(tree / changed, (built_at + 1, built_at + 1))
    assert try_build(tree, "wheel").returncode == 1


def test_types_that_a_check_made_anew_leave_a_build_current(tree: Path) -> None:
    pretend_build(tree)
    built_at = (tree / "console" / "dist" / "index.html").stat().st_mtime
    made = tree / "console" / "src" / "api" / "schema.d.ts"
    made.parent.mkdir(exist_ok=True)
    made.touch()
    os.utime(made, (built_at + 1, built_at + 1))
    assert packed_in(build(tree, "wheel"))


def test_an_npm_that_fails_is_told_with_its_exit_code(tree: Path, tmp_path: Path) -> None:
    npm = tmp_path / "bin" / "npm"
    npm.parent.mkdir()
    npm.write_text("#!/bin/sh\nexit 7\n")
    npm.chmod(0o755)
    done = try_build(tree, "wheel", environ={"PATH": str(npm.parent)})
    assert done.returncode == 1
    assert "`npm ci --ignore-scripts --no-audit --no-fund`" in done.stdout + done.stderr
    assert "failed with exit code 7" in done.stdout + done.stderr


def test_the_installed_wheel_serves_the_console(tree: Path, tmp_path: Path) -> None:
    pretend_build(tree)
    program = installed(build(tree, "wheel"), tmp_path / "env")
    borrow_libraries(tmp_path / "env")
    with serving(program, tmp_path / "data") as address:
        page = httpx.get(f"{address}/ui/jobs", timeout=30)
        assert (page.status_code, page.text) == (200, BUILT["index.html"])
        script = httpx.get(f"{address}/ui/assets/index-1f.js", timeout=30)
        assert (script.status_code, script.text) == (200, BUILT["assets/index-1f.js"])
        door = httpx.get(address, headers={"accept": "text/html"}, follow_redirects=True, timeout=30)
        assert (door.status_code, door.url.path) == (200, "/ui/")


def test_an_editable_install_serves_all_else_without_a_build(tree: Path, tmp_path: Path) -> None:
    program = installed(build(tree, "editable"), tmp_path / "env")
    borrow_libraries(tmp_path / "env")
    with serving(program, tmp_path / "data") as address:
        page = httpx.get(f"{address}/ui/", timeout=30)
        assert page.status_code == 503
        assert "make console-build" in page.text
        wait_until_ready(address)
        pretend_build(tree)
        assert httpx.get(f"{address}/ui/", timeout=30).text == BUILT["index.html"]


# --- with npm


@pytest.mark.console
def test_a_wheel_built_from_the_bare_tree_serves_the_real_console(tree: Path, tmp_path: Path) -> None:
    """In an environment that has nothing but what the wheel asks for."""
    wheel = build(tree, "wheel", environ={})
    program = installed(wheel, tmp_path / "env")
    locked = ROOT / "requirements" / "run.txt"
    uv("pip", "install", "--require-hashes", "--requirement", str(locked), folder=tmp_path / "env")
    uv("pip", "check", folder=tmp_path / "env")
    with serving(program, tmp_path / "data") as address, httpx.Client(base_url=address, timeout=30) as client:
        page = client.get("/ui/")
        assert page.status_code == 200
        assert re.search(r"<style|<script(?![^>]* src=)|\s(style|on\w+)=", page.text) is None  # the policy forbids it
        files = re.findall(r'(?:src|href)="(/ui/[^"]+)"', page.text)
        hashed = [path for path in files if re.fullmatch(r"/ui/assets/[\w.-]+-[\w-]{8}\.(js|css)", path)]
        assert {path.rpartition(".")[2] for path in hashed} == {"js", "css"}
        for path in files:
            answer = client.get(path)
            assert answer.status_code == 200, path
            assert answer.content
        for path in hashed:
            assert client.get(path).headers["content-encoding"] == "gzip"


# --- installing and starting


def installed(wheel: Path, folder: Path) -> Path:
    """Into a new environment, without the libraries that it asks for; its program."""
    venv.create(folder, with_pip=False)
    uv("pip", "install", "--offline", "--no-deps", str(wheel), folder=folder)
    return folder / "bin" / "cosbatch"


def uv(*words: str, folder: Path) -> None:
    program = Path(sys.executable).parent / "uv"
    command = [str(program), *words, "--quiet", "--python", str(folder / "bin" / "python")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def borrow_libraries(folder: Path) -> None:
    """Those of this environment, behind the own ones. Its editable cosbatch is none of them: a path file leads to them,
    and path files beside them are not read."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    ours, here = (Path(each, "lib", version, "site-packages") for each in (folder, sys.prefix))
    (ours / "borrowed.pth").write_text(f"{here}\n")
    program = "import cosbatch; print(cosbatch.__file__)"
    found = subprocess.run([folder / "bin" / "python", "-c", program], capture_output=True, text=True, check=True)
    assert not found.stdout.startswith((str(ROOT / "src"), str(here)))


def wait_until_ready(address: str) -> None:
    """Its processes are still being started when it tells its address."""
    ends = time.monotonic() + START_SECONDS
    while (ready := httpx.get(f"{address}/readyz", timeout=30)).status_code != 200:
        assert time.monotonic() < ends, ready.text
        time.sleep(0.05)


@contextmanager
def serving(program: Path, data: Path) -> Iterator[str]:
    """Its address."""
    told, log = data.parent / "told", data.parent / "stderr"
    with told.open("wb") as out, log.open("wb") as err:
        process = subprocess.Popen(
            [program, "serve", "--data", data, "--port", "0", "--json"],
            cwd=data.parent,
            env={**os.environ, **NO_NPM},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
        )
    try:
        ends = time.monotonic() + START_SECONDS
        while not told.read_bytes().endswith(b"\n"):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < ends, log.read_text()
            time.sleep(0.05)
        yield json.loads(told.read_text())["address"]
        process.terminate()
        assert process.wait(STOP_SECONDS) == 0, log.read_text()
    finally:
        process.kill()
        process.wait()
