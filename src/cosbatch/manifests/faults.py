"""Gathering what is wrong with a manifest, up to a limit, each fault with its place."""

from __future__ import annotations

from typing import Final

from cosbatch.model.errors import FailureCode, Fault, ManifestFaulty

FAULTS_KEPT: Final = 100
VALUE_SHOWN: Final = 200
KEY_SHOWN: Final = 120


class StreamBroken(Exception):
    """A file cannot be read beyond this point: damaged compression, a quote that never closes. Stays in this room."""

    def __init__(self, problem: str, *, way_out: str = "", line: int = 0) -> None:
        super().__init__(problem)
        self.problem = problem
        self.way_out = way_out
        self.line = line
        """Physical line at which reading ended; 0 where whoever raised it does not count lines."""


def shorten(text: str, *, limit: int = VALUE_SHOWN) -> str:
    """``text`` for people: bytes that are no UTF-8 (surrogate escapes) as ``\\xNN``, at most ``limit`` characters."""
    cut = text if len(text) <= limit else text[: limit - 1] + "…"
    return cut.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")[:limit]


class FaultLog:
    """The first 100 faults, and whether there are others."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._code: FailureCode | None = None
        self.more = False

    def __bool__(self) -> bool:
        return bool(self._faults)

    @property
    def faults(self) -> tuple[Fault, ...]:
        return tuple(self._faults)

    def add(
        self,
        path: str,
        problem: str,
        *,
        value: str = "",
        way_out: str = "",
        code: FailureCode = FailureCode.MANIFEST_PARSING_ERROR,
    ) -> None:
        """The failure code of the whole is that of the first fault."""
        self._code = self._code or code
        if len(self._faults) >= FAULTS_KEPT:
            self.more = True
            return
        self._faults.append(Fault(path=path, value=shorten(value), problem=problem, way_out=way_out))

    def error(self) -> ManifestFaulty:
        return ManifestFaulty(self._faults, more=self.more, failure_code=self._code)
