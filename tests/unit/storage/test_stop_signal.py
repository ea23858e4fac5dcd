"""What ends waits from outside."""

from __future__ import annotations

import asyncio

from cosbatch.model.errors import SendingStopped
from cosbatch.storage.stop_signal import StopSignal
from tests.unit.storage.virtual_time import VirtualClock, virtual_time


@virtual_time
async def test_who_came_first_is_woken_first(clock: VirtualClock) -> None:
    """Else the same simulated run could go on in another order."""
    signal, woken = StopSignal(), []
    loop = asyncio.get_running_loop()
    waiters: list[asyncio.Future[int]] = [loop.create_future() for _ in range(50)]
    for number in reversed(range(50)):
        signal.watch(waiters[number])
        waiters[number].add_done_callback(lambda _, number=number: woken.append(number))  # type: ignore[misc]
    signal.forget(waiters[7])
    signal.stop("enough")
    await asyncio.sleep(0)
    assert woken == [number for number in reversed(range(50)) if number != 7]
    assert all(isinstance(waiters[number].exception(), SendingStopped) for number in woken)
