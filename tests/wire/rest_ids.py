"""What stands in the paths of calls, for tests that walk over all of them: whoever adds a path parameter says here what
one of the first account's is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tests.unit.service.job_builders import HOME
from tests.wire.rest_rig import OPERATOR, RestRig

SHARED: Final[Mapping[str, str]] = {"region": HOME, "code": "AccessDenied"}
"""Parameters of things that no account has to itself."""


async def ids_of_first_account(rig: RestRig) -> dict[str, str]:
    """Parameter -> the id of something new that the first account has, and nobody else may know of."""
    job_id = await rig.made(by=OPERATOR)
    return {"job_id": job_id}
