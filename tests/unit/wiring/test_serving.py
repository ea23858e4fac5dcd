"""A service of which a part has ended is none."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest

from cosbatch.model.errors import CosbatchError
from cosbatch.wiring.serve import Serving


@dataclass
class Part:
    """An engine that breaks when the test says so."""

    trouble: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    async def until_broken(self) -> None:
        await self.trouble


def serving(part: Part, listener: asyncio.Task[None]) -> Serving:
    return Serving(address="http://127.0.0.1:1", first_run=None, engine=part, listener=listener)


async def test_an_engine_that_breaks_ends_it_with_its_error() -> None:
    part, listener = Part(), asyncio.create_task(Part().until_broken())
    watched = asyncio.create_task(serving(part, listener).until_broken())
    part.trouble.set_exception(ZeroDivisionError("scheduler"))
    with pytest.raises(ZeroDivisionError, match="scheduler"):
        await watched
    listener.cancel()


async def test_a_listener_that_breaks_ends_it_with_its_error() -> None:
    async def broken() -> None:
        raise ZeroDivisionError("listener")

    with pytest.raises(ZeroDivisionError, match="listener"):
        await serving(Part(), asyncio.create_task(broken())).until_broken()


async def test_a_part_that_just_ends_is_no_end_in_peace() -> None:
    async def ended() -> None:
        return

    with pytest.raises(CosbatchError, match="has ended by itself"):
        await serving(Part(), asyncio.create_task(ended())).until_broken()


async def test_who_stops_watching_leaves_nothing_behind() -> None:
    part = Part()
    listener = asyncio.create_task(Part().until_broken())
    watched = asyncio.create_task(serving(part, listener).until_broken())
    await asyncio.sleep(0)
    watched.cancel()
    with pytest.raises(asyncio.CancelledError):
        await watched
    await asyncio.sleep(0)
    assert part.trouble.cancelled()
    assert not listener.done()
    listener.cancel()
