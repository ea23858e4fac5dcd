"""Lists that come in pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, Protocol, TypeVar

from cosbatch.client.shape_reader import record

T = TypeVar("T")
Found_co = TypeVar("Found_co", covariant=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[T]):
    """``next_cursor`` is for the next page; empty where this is the last one."""

    items: tuple[T, ...]
    next_cursor: str


class Paged(Protocol[Found_co]):
    """Any page: some have more than these two."""

    @property
    def items(self) -> tuple[Found_co, ...]: ...

    @property
    def next_cursor(self) -> str: ...


def pages_of(shape: type[T]) -> Callable[[Any], Page[T]]:
    """Reads a page of what the dataclass ``shape`` holds."""
    return page_by(record(shape))


def page_by(read: Callable[[Any], T]) -> Callable[[Any], Page[T]]:
    return partial(_page, read)


def _page(read: Callable[[Any], T], content: Mapping[str, Any]) -> Page[T]:
    return Page(items=tuple(read(one) for one in content["items"]), next_cursor=content["next_cursor"] or "")
