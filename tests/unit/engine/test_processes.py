"""The engine's processes, as real ones."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from cosbatch.engine.processes import YOUNG_OBJECTS, ChildSpec, ParentLink, ProcessGroup, Supervisor, SupervisorDied


async def tell_of_itself(link: ParentLink, folder: Path) -> None:
    """What a child runs: it writes down what it is, and ends when it is told to."""
    told = folder / f"{os.getpid()}.json"
    beside = told.with_suffix(".new")
    seen: dict[str, Any] = {
        "frozen": gc.get_freeze_count(),
        "young": gc.get_threshold()[0],
        "mark": os.environ.get("MARK"),
    }
    seen["shown"] = Path("/proc/self/environ").read_bytes().decode(errors="replace")
    seen["names"] = list(os.environ)
    beside.write_text(json.dumps(seen))
    beside.rename(told)
    await link.stop.wait()
    (folder / f"{os.getpid()}.drained").touch()


WITH_A_SECRET = """\
import asyncio, sys
from pathlib import Path
from cosbatch.engine.processes import ProcessGroup, Supervisor
from tests.unit.engine.test_processes import specs, told, until

async def run(supervisor):
    group = ProcessGroup(specs(Path(sys.argv[1]), "child"), supervisor=supervisor)
    group.start()
    await until(lambda: len(told(Path(sys.argv[1]))) == 1)
    await group.drain()

async def begun_within():
    with Supervisor.begin(without=["OF_THE_PROGRAM"]) as supervisor:
        await run(supervisor)

if __name__ == "__main__":
    if sys.argv[2] == "forked":
        with Supervisor.begin(without=["OF_THE_PROGRAM"]) as supervisor:
            asyncio.run(run(supervisor))
    else:
        asyncio.run(begun_within())
"""


@pytest.mark.parametrize("how", ["forked", "spawned"])
def test_children_do_not_have_the_variables_of_the_program(tmp_path: Path, how: str) -> None:
    """Neither in their environment nor in what the kernel shows of it."""
    program = tmp_path / "program.py"
    program.write_text(WITH_A_SECRET)
    secrets = {"OF_THE_PROGRAM": "the-secret", "OF_ALL": "for-all", "PYTHONPATH": str(Path.cwd())}
    subprocess.run([sys.executable, str(program), str(tmp_path), how], env=os.environ | secrets, check=True, timeout=60)
    (seen,) = told(tmp_path).values()
    assert {"OF_THE_PROGRAM", "OF_ALL"} & set(seen["names"]) == {"OF_ALL"}
    assert "OF_ALL=for-all" in seen["shown"]
    assert "the-secret" not in seen["shown"]


async def until(found: Callable[[], bool]) -> None:
    while not found():  # another process brings it about
        await asyncio.sleep(0.02)


def specs(folder: Path, *names: str) -> list[ChildSpec]:
    return [ChildSpec(name=name, entry=tell_of_itself, arguments=(folder,)) for name in names]


def told(folder: Path) -> dict[int, dict[str, Any]]:
    return {int(path.stem): json.loads(path.read_text()) for path in folder.glob("*.json")}


def drained(folder: Path) -> set[int]:
    return {int(path.stem) for path in folder.glob("*.drained")}


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def run_group(
    folder: Path, scenario: Callable[[ProcessGroup, Supervisor], Coroutine[Any, Any, None]], *names: str
) -> None:
    """``scenario`` with a running group; its supervisor is begun beforehand, as the program does it."""

    async def run(supervisor: Supervisor) -> None:
        group = ProcessGroup(specs(folder, *names), supervisor=supervisor)
        group.start()
        async with asyncio.timeout(60):
            await until(lambda: len(told(folder)) == len(names) and set(group.pids()) == set(names))
            await scenario(group, supervisor)

    with Supervisor.begin() as supervisor:
        asyncio.run(run(supervisor))


def test_children_look_seldom_for_cycles_and_never_among_what_was_imported(tmp_path: Path) -> None:
    async def scenario(group: ProcessGroup, _: Supervisor) -> None:
        await group.drain()

    run_group(tmp_path, scenario, "child")
    (seen,) = told(tmp_path).values()
    assert seen["frozen"] > 10_000
    assert seen["young"] == YOUNG_OBJECTS


def test_every_child_drains_when_the_group_is_told_to(tmp_path: Path) -> None:
    async def scenario(group: ProcessGroup, _: Supervisor) -> None:
        pids = set(group.pids().values())
        await group.drain()
        assert drained(tmp_path) == pids
        assert not any(is_alive(pid) for pid in pids)
        assert group.pids() == {}

    run_group(tmp_path, scenario, "one", "two", "three")


def test_a_child_that_dies_is_replaced_and_its_brothers_stay(tmp_path: Path) -> None:
    async def scenario(group: ProcessGroup, _: Supervisor) -> None:
        before = group.pids()
        os.kill(before["one"], signal.SIGKILL)
        await until(lambda: group.pids().get("one") not in (None, before["one"]))
        assert group.pids()["two"] == before["two"]
        await until(lambda: len(told(tmp_path)) == 3)
        await group.drain()
        assert drained(tmp_path) == {*told(tmp_path)} - {before["one"]}

    run_group(tmp_path, scenario, "one", "two")


def test_without_a_supervisor_every_child_drains_and_the_program_hears_of_it(tmp_path: Path) -> None:
    async def scenario(group: ProcessGroup, supervisor: Supervisor) -> None:
        pids = set(group.pids().values())
        assert supervisor.process.pid is not None
        os.kill(supervisor.process.pid, signal.SIGKILL)
        with pytest.raises(SupervisorDied):
            await group.watch()
        await until(lambda: drained(tmp_path) == pids)
        await group.drain()

    run_group(tmp_path, scenario, "one", "two")


def test_a_supervisor_that_nobody_needs_ends(tmp_path: Path) -> None:
    with Supervisor.begin() as supervisor:
        assert supervisor.process.is_alive()
    assert supervisor.process.exitcode == 0


def test_beside_an_event_loop_a_supervisor_is_an_interpreter_of_its_own(tmp_path: Path) -> None:
    async def scenario() -> None:
        with Supervisor.begin() as supervisor:
            group = ProcessGroup(specs(tmp_path, "child"), supervisor=supervisor)
            group.start()
            async with asyncio.timeout(60):
                await until(lambda: len(told(tmp_path)) == 1)
                await group.drain()

    asyncio.run(scenario())
    assert len(drained(tmp_path)) == 1


PROGRAM = """
import asyncio, os, sys
from pathlib import Path
from cosbatch.engine.processes import ProcessGroup, Supervisor
from tests.unit.engine.test_processes import specs, told, until

folder = Path(sys.argv[1])

async def run(supervisor):
    group = ProcessGroup(specs(folder, "one", "two"), supervisor=supervisor)
    group.start()
    async with asyncio.timeout(60):
        await until(lambda: len(told(folder)) == 2)
    os.kill(os.getpid(), 9)

with Supervisor.begin() as supervisor:
    os.environ["MARK"] = "set after the supervisor began"
    asyncio.run(run(supervisor))
"""


def test_what_a_killed_program_leaves_ends_by_itself(tmp_path: Path) -> None:
    program = subprocess.run([sys.executable, "-c", PROGRAM, str(tmp_path)], check=False, timeout=60)
    assert program.returncode == -signal.SIGKILL
    children = told(tmp_path)
    assert [seen["mark"] for seen in children.values()] == [None, None]
    asyncio.run(asyncio.wait_for(until(lambda: drained(tmp_path) == set(children)), timeout=30))
