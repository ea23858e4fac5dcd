"""Which operations there are: the only place where kinds meet. A new one is one file and one line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from cosbatch.model.operations import OperationName
from cosbatch.operations.copy import CopyOperation
from cosbatch.operations.delete import DeleteOperation
from cosbatch.operations.port import Operation
from cosbatch.operations.restore import RestoreOperation
from cosbatch.operations.tagging import TaggingOperation

OPERATIONS: Final[Mapping[OperationName, Callable[[], Operation]]] = MappingProxyType(
    {
        OperationName.COPY: CopyOperation,
        OperationName.RESTORE: RestoreOperation,
        OperationName.DELETE: DeleteOperation,
        OperationName.TAGGING: TaggingOperation,
    }
)


def operation_for(name: OperationName) -> Operation:
    """A new one, for one job: it may keep what it works out from the job's parameters."""
    return OPERATIONS[name]()
