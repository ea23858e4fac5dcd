"""The way from a process to a store, to the ledger and to the work area: what is on it outlives its sender.

A call is sent, arrives, takes effect, and is answered; each takes its time, and faults may come in between. When a
process dies, its calls are still on the way: each may be applied when it was due, much later, or never. Nothing that
happens to a call runs inside the process that sent it, which only waits for the answer.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Coroutine, Mapping
from contextvars import Context
from dataclasses import dataclass, field
from enum import Enum, auto
from functools import partial
from typing import Any, Final, NamedTuple, Protocol

from cosbatch.model.errors import StorageError
from cosbatch.model.identifiers import ObjectRef, RegionName
from cosbatch.storage.disposition import is_outcome_unknown
from tests.unit.storage.virtual_process import VirtualProcess

READS: Final = frozenset(
    {
        "head",
        "get",
        "list_parts",
        "list_uploads",
        "get_acl",
        "get_tags",
        "list_objects",
        "list_versions",
        "bucket_region",
        "versioning",
        "object_lock",
    }
)
_LEDGER_READS: Final = frozenset({"queued_jobs", "held_leases", "pulses"})
_BODIES: Final = frozenset({"put", "upload_part"})
_TARGET_PLACE: Final[Mapping[str, int]] = {"copy": 1, "upload_part_copy": 1}


class Port(Enum):
    STORE = auto()
    LEDGER = auto()
    SPOOL = auto()


@dataclass(slots=True, eq=False)
class Call:
    """One call on its way."""

    process: VirtualProcess
    port: Port
    region: RegionName
    """Of a store."""
    name: str
    args: tuple[Any, ...]
    options: Mapping[str, Any]
    sent_at: float
    is_applied: bool = False
    is_late: bool = False
    """It takes effect after its sender's death."""
    is_answered: bool = False
    """Its sender knows what came of it, be it a refusal."""
    is_refused: bool = False
    """It was refused, and its sender knows."""
    error: Exception | None = None
    """The adapter's own refusal."""

    @property
    def writes(self) -> bool:
        return self.port is Port.STORE and self.name not in READS

    @property
    def ref(self) -> ObjectRef | None:
        """The object that a store is asked for: of a copy, its target."""
        if self.port is not Port.STORE or not self.args:
            return None
        asked = self.args[_TARGET_PLACE.get(self.name, 0)]
        return asked if isinstance(asked, ObjectRef) else None


class Fate(NamedTuple):
    """What becomes of a call."""

    arrives_in: float = 0.0
    refusal: Exception | None = None
    """Told instead of an answer; the call has no effect."""
    loss: Exception | None = None
    """Told although the call had its effect."""
    answered_in: float = 0.0


AT_ONCE: Final = Fate()


class Weather(Protocol):
    """What goes wrong on the way."""

    def fate(self, call: Call) -> Fate: ...

    def at_the_door(self, call: Call) -> Exception | None:
        """A refusal by what holds when the call arrives."""
        ...

    def delay_of_orphan(self, call: Call) -> float | None:
        """Seconds from now until a call takes effect whose sender has died; None: it never does."""
        ...


class Observer(Protocol):
    """Sees every call; it may kill processes."""

    def sent(self, call: Call) -> None: ...

    def applied(self, call: Call, answer: Any) -> None:
        """It has taken effect; ``answer`` is None where it was refused (``call.error``)."""
        ...


class FairWeather:
    def fate(self, call: Call) -> Fate:
        return AT_ONCE

    def at_the_door(self, call: Call) -> Exception | None:
        return None

    def delay_of_orphan(self, call: Call) -> float | None:
        return None


class _Arrival(NamedTuple):
    timer: asyncio.TimerHandle
    happens: Callable[[], None]


@dataclass(slots=True)
class Network:
    """Carries the calls of all processes of a run."""

    weather: Weather
    observers: list[Observer] = field(default_factory=list)
    outside: Context = field(default_factory=Context)
    """No process: what is on the way belongs to nobody."""
    _under_way: dict[VirtualProcess, dict[Call, _Arrival]] = field(default_factory=dict)

    def connect(self, process: VirtualProcess, port: Port, inner: Any, *, region: str = "", profile: Any = None) -> Any:
        """``inner`` as ``process`` sees it; ``profile`` is what a store says of itself."""
        if process not in self._under_way:
            self._under_way[process] = {}
            process.at_death.append(partial(self._orphan, process))
        return _Line(self, process, port, RegionName(region), inner, profile)

    async def carry(self, call: Call, method: Callable[..., Coroutine[Any, Any, Any]]) -> Any:
        loop = asyncio.get_running_loop()
        reply: asyncio.Future[Any] = loop.create_future()
        if call.name in _BODIES:
            await _read_bodies(call)
        if not call.process.is_dead:
            fate = self.weather.fate(call)
            for observer in self.observers:
                observer.sent(call)
            if fate == AT_ONCE and call.name in _LEDGER_READS:
                return await self._read(call, method)
            arrive = partial(self._arrive, call, method, fate, reply)
            if not call.process.is_dead:  # an observer may have killed it: then this was never sent
                timer = loop.call_later(fate.arrives_in, arrive, context=self.outside)
                self._under_way[call.process][call] = _Arrival(timer, arrive)
        return await reply

    async def _read(self, call: Call, method: Callable[..., Coroutine[Any, Any, Any]]) -> Any:
        """The short way, for the many looks at a ledger: what has no effect leaves nothing on the way."""
        await asyncio.sleep(0)
        answer = drive(method(*call.args, **call.options))
        call.is_applied = True
        for observer in self.observers:
            observer.applied(call, answer)
        await asyncio.sleep(0)
        return answer

    def _arrive(
        self, call: Call, method: Callable[..., Coroutine[Any, Any, Any]], fate: Fate, reply: asyncio.Future[Any]
    ) -> None:
        self._under_way[call.process].pop(call, None)
        error = fate.refusal or self.weather.at_the_door(call)
        answer = None
        if error is None:
            try:
                answer = drive(method(*call.args, **call.options))
            except Exception as refusal:
                error = call.error = refusal
            call.is_applied = call.error is None
            for observer in self.observers:
                observer.applied(call, answer)
            error = fate.loss or error
        tell = partial(self._tell, call, reply, answer, error)
        asyncio.get_running_loop().call_later(fate.answered_in, tell, context=self.outside)

    def _tell(self, call: Call, reply: asyncio.Future[Any], answer: Any, error: Exception | None) -> None:
        if reply.done() or call.process.is_dead:
            return
        call.is_answered = not (isinstance(error, StorageError) and is_outcome_unknown(error))
        call.is_refused = call.is_answered and error is not None
        if error is None:
            reply.set_result(answer)
        else:
            reply.set_exception(error)

    def _orphan(self, process: VirtualProcess) -> None:
        loop = asyncio.get_running_loop()
        calls, self._under_way[process] = self._under_way[process], {}
        for call, arrival in calls.items():
            arrival.timer.cancel()
            delay = self.weather.delay_of_orphan(call)
            if delay is not None:
                call.is_late = True
                loop.call_later(delay, arrival.happens, context=self.outside)


class _Line:
    """A port of the engine at the near end, the adapter in memory at the far one."""

    def __init__(
        self, network: Network, process: VirtualProcess, port: Port, region: RegionName, inner: Any, profile: Any
    ) -> None:
        self._network = network
        self._process = process
        self._port = port
        self._region = region
        self._inner = inner
        self._clock = asyncio.get_running_loop().time
        if profile is not None:
            self.profile = profile

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._inner, name)
        if not inspect.iscoroutinefunction(method):
            return method

        def called(*args: Any, **options: Any) -> Coroutine[Any, Any, Any]:
            call = Call(self._process, self._port, self._region, name, args, options, self._clock())
            return self._network.carry(call, method)

        setattr(self, name, called)
        return called


async def _read_bodies(call: Call) -> None:
    """A body that is made while it is sent is made by the sender."""
    call.args = tuple([await _whole(one) for one in call.args])
    call.options = {name: await _whole(one) for name, one in call.options.items()}


async def _whole(argument: Any) -> Any:
    return b"".join([block async for block in argument.blocks()]) if hasattr(argument, "blocks") else argument


def drive(work: Coroutine[Any, Any, Any]) -> Any:
    """What ``work`` returns. Adapters in memory only step aside for a moment, they never wait."""
    while True:
        try:
            work.send(None)
        except StopIteration as end:
            return end.value
