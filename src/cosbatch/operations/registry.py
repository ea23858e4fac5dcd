"""Which operations there are: the only place where kinds meet. A new one is one file and one line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from cosbatch.model.errors import InvalidArgument
from cosbatch.model.operations import OperationName
from cosbatch.operations.copy import CopyOperation
from cosbatch.operations.port import Operation

OPERATIONS: Final[Mapping[OperationName, Callable[[], Operation]]] = MappingProxyType(
    {OperationName.COPY: CopyOperation}
)


def operation_for(name: OperationName) -> Operation:
    """A new one, for one job: it may keep what it works out from the job's parameters. InvalidArgument for an operation
    that COS has and this version has not."""
    if name not in OPERATIONS:
        offered = ", ".join(OPERATIONS)
        raise InvalidArgument(f"this version does not offer {name}; it offers {offered}")
    return OPERATIONS[name]()
