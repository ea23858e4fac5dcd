"""What a call of the API is: what is sent, how its answer is read, and whether it may be sent again.

The calls themselves stand in the siblings of this module, by what they are about. Both clients are made of them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar
from urllib.parse import quote

from cosbatch.client.reading import read
from cosbatch.client.refusals import error_of
from cosbatch.client.transport import ApiAnswer, ApiRequest
from cosbatch.model.errors import ServiceUnreachable
from cosbatch.model.jobs import JobRequest
from cosbatch.service.job_document import request_document

T = TypeVar("T")
CREATED: Final = 201
NO_CONTENT: Final = 204
JobContent = Mapping[str, Any] | JobRequest
"""A job document, as a job file has it, or the request that one stands for."""
Query = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiCall(Generic[T]):
    request: ApiRequest
    shape: Callable[[Any], T]
    may_repeat: bool
    """Made twice it does no more than once."""
    tell: Callable[[T, bool], T] | None = None
    """Puts into what was read whether something new was made."""
    is_download: bool = False
    """What it answers has gone into the request's sink."""
    after_silence: str = ""
    """What to do where no answer came; a sentence."""

    def read(self, answer: ApiAnswer) -> T:
        """Raises the refusal, where it is one."""
        if not 200 <= answer.status < 300:
            error = error_of(answer)
            raise self.silent(error) if isinstance(error, ServiceUnreachable) else error
        if self.is_download or answer.status == NO_CONTENT:
            return self.shape(None)
        found = read(answer, self.shape)
        return found if self.tell is None else self.tell(found, answer.status == CREATED)

    def silent(self, error: ServiceUnreachable) -> ServiceUnreachable:
        """The same error, with what to do now."""
        return ServiceUnreachable(f"{error}; {self.after_silence}") if self.after_silence else error


def looking(path: str, shape: Callable[[Any], T], **query: Any) -> ApiCall[T]:
    """A call that changes nothing."""
    return ApiCall(request=request_of("GET", path, query=query_of(**query)), shape=shape, may_repeat=True)


def asking(method: str, path: str, content: Any, shape: Callable[[Any], T], *, may_repeat: bool = False) -> ApiCall[T]:
    """A call with a body; None: without one."""
    return ApiCall(request=request_of(method, path, content), shape=shape, may_repeat=may_repeat)


def removing(path: str) -> ApiCall[None]:
    return ApiCall(request=request_of("DELETE", path), shape=nothing, may_repeat=False)


def downloading(path: str, sink: Callable[[bytes], object], **query: Any) -> ApiCall[None]:
    """Not made again: the sink may have got a part of it."""
    request = ApiRequest(method="GET", path=path, query=query_of(**query), sink=sink)
    return ApiCall(request=request, shape=nothing, may_repeat=False, is_download=True)


def any_call(method: str, path: str, *, query: Mapping[str, Any] | None = None, body: Any = None) -> ApiCall[Any]:
    """A call that has no method here; ``path`` is below ``/api/v1``. Its answer as JSON has it, None where it has
    none."""
    request = request_of(method, path, body, query=query_of(**(query or {})))
    return ApiCall(request=request, shape=as_it_is, may_repeat=method == "GET")


# --- their parts


def request_of(method: str, path: str, content: Any = None, *, query: Query = ()) -> ApiRequest:
    if content is None:
        return ApiRequest(method=method, path=path, query=query)
    body = json.dumps(content, ensure_ascii=False).encode()
    return ApiRequest(method=method, path=path, query=query, body=body, headers={"content-type": "application/json"})


def path_of(collection: str, name: str, *below: str) -> str:
    """``name`` cannot leave its place."""
    return "/".join([collection, quote(name, safe=""), *below])


def query_of(**given: Any) -> Query:
    """Without what is not given; a list is named once for each of its members."""
    pairs = []
    for name, value in given.items():
        values = value if isinstance(value, list | tuple) else [value]
        pairs += [(name, str(one)) for one in values if one is not None and one != ""]
    return tuple(pairs)


def content_of(**given: Any) -> dict[str, Any]:
    """A body, without what is not given: there the service's own defaults count."""
    return {name: value for name, value in given.items() if value is not None}


def job_content(job: JobContent) -> dict[str, Any]:
    return request_document(job) if isinstance(job, JobRequest) else dict(job)


def nothing(_: Any) -> None:
    return None


def as_it_is(content: Any) -> Any:
    return content
