"""The engine's processes, as real ones."""

from __future__ import annotations

import asyncio
import gc
import json
from pathlib import Path

from cosbatch.engine.processes import YOUNG_OBJECTS, ChildSpec, ParentLink, ProcessGroup


async def tell_of_garbage(link: ParentLink, told: Path) -> None:
    """What a child runs."""
    beside = told.with_suffix(".new")
    beside.write_text(json.dumps({"frozen": gc.get_freeze_count(), "young": gc.get_threshold()[0]}))
    beside.rename(told)
    await link.stop.wait()


async def until_there(path: Path) -> None:
    while not path.exists():  # another process makes it
        await asyncio.sleep(0.02)


def test_a_child_looks_seldom_for_cycles_and_never_among_what_was_imported(tmp_path: Path) -> None:
    told = tmp_path / "told.json"

    async def scenario() -> None:
        group = ProcessGroup([ChildSpec(name="child", entry=tell_of_garbage, arguments=(told,))])
        group.start()
        async with asyncio.timeout(60):
            await until_there(told)
            await group.drain()

    asyncio.run(scenario())
    seen = json.loads(told.read_text())
    assert seen["frozen"] > 10_000
    assert seen["young"] == YOUNG_OBJECTS
