"""What a call of the API is: one row of a table that every module of this package gives.

From these rows come the routes, who is let in, the OpenAPI document, the reference page, and the walk of the tests over
all of them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from cosbatch.model.principals import UserRole

PREFIX: Final = "/api/v1"
READS: Final = frozenset({"GET"})


class Access(StrEnum):
    """Who may make a call, at least."""

    OPEN = "open"
    """Anybody: nothing is asked."""
    OWN = "own"
    """Whoever is known, for what is his own; also who has to change the password first."""
    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"

    @property
    def is_own(self) -> bool:
        return self is Access.OWN

    @property
    def role(self) -> UserRole | None:
        """The role that it takes; None where any does."""
        return None if self in (Access.OPEN, Access.OWN) else UserRole(self.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A method on a path, and the function that answers it. The function's name is the operation's id."""

    method: str
    path: str
    """Below ``/api/v1``, with its parameters: ``/jobs/{job_id}``."""
    answer: Callable[..., Awaitable[Any]]
    access: Access
    tag: str
    summary: str
    """A few words, without a full stop; the function's docstring says more."""
    shape: Any = None
    """Of the answer; None where there is none (204)."""
    status: int = 200
    """Of the usual answer."""
    also: Mapping[int, str] = field(default_factory=dict)
    """Other answers of the same shape, and what they mean."""
    refusals: Mapping[int, str] = field(default_factory=dict)
    """Refusals that calls do not have anyway, and what they mean."""
    example: Any = None
    """An answer, as JSON has it."""
    asked: Any = None
    """A body to send, as JSON has it."""
    media_types: tuple[str, ...] = ()
    """Of answers that are no JSON, beside the shape's or instead of it."""
    proves_password: bool = False
    """It may be made so often from one address, and from the service's own pages only."""
    is_of_service_operator: bool = False
    """Beside its role it takes an admin of the operator's account: it changes what is the whole service's."""
    has_secrets: bool = False
    """No refusal shows a value that was sent."""

    @property
    def operation_id(self) -> str:
        return self.answer.__name__

    @property
    def shown_path(self) -> str:
        """As documents have it, where a parameter with slashes in it looks like any other."""
        return self.path.replace(":path}", "}")

    @property
    def writes(self) -> bool:
        return self.method not in READS
