"""Transports that answer from a list, one for each client."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cosbatch.client import ApiAnswer, ApiRequest
from cosbatch.model.errors import ServiceUnreachable

SILENCE = ServiceUnreachable("no answer")


def answer(content: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> ApiAnswer:
    return ApiAnswer(status=status, headers=headers or {}, body=json.dumps(content).encode())


def refusal(
    status: int, code: str, *, headers: Mapping[str, str] | None = None, faults: Sequence[Any] = ()
) -> ApiAnswer:
    error = {"code": code, "message": "no", "request_id": "r1", "faults": list(faults)}
    return answer({"error": error}, status=status, headers=headers)


@dataclass
class Scripted:
    answers: list[ApiAnswer | Exception]
    sent: list[ApiRequest] = field(default_factory=list)

    def send(self, request: ApiRequest) -> ApiAnswer:
        self.sent.append(request)
        found = self.answers.pop(0)
        if isinstance(found, Exception):
            raise found
        return found


@dataclass
class AsyncScripted:
    answers: list[ApiAnswer | Exception]
    sent: list[ApiRequest] = field(default_factory=list)

    async def send(self, request: ApiRequest) -> ApiAnswer:
        self.sent.append(request)
        found = self.answers.pop(0)
        if isinstance(found, Exception):
            raise found
        return found
