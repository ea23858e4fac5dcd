"""The service's rims towards its ledger and its work area: what their trouble is to a caller."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from cosbatch.model.errors import LedgerUnavailable, NoSuchResults, ServiceUnavailable, SpoolError, SpoolMissing

P = ParamSpec("P")
T = TypeVar("T")


def answering(verb: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, Coroutine[Any, Any, T]]:
    """A ledger that does not answer is the service's own trouble to a caller. What is wrong with it is in
    ``__cause__``, for whoever operates the service: it may name files."""

    @wraps(verb)
    async def asked(*args: P.args, **named: P.kwargs) -> T:
        try:
            return await verb(*args, **named)
        except LedgerUnavailable as error:
            raise ServiceUnavailable(
                "the service cannot reach its records now; try again in a moment. A change may have been made all the"
                " same: look first, or repeat a create under the same ClientRequestToken"
            ) from error

    return asked


@contextmanager
def results_kept() -> Iterator[None]:
    """Around what reads results of jobs: they go when the job's retention ends, or with a part of the work area."""
    try:
        yield
    except SpoolMissing as error:
        raise NoSuchResults("the results of this job are not kept any more") from error
    except SpoolError as error:
        why = "the service cannot use its work area now; its operator has to look at it"
        raise ServiceUnavailable(why) from error
