"""What every RoleLedger refuses, in the same words."""

from __future__ import annotations

from cosbatch.model.errors import Fault, InvalidArgument, NoSuchRole


def no_such_role(arn: str) -> NoSuchRole:
    return NoSuchRole(f"there is no role {arn}")


def role_is_there(arn: str) -> InvalidArgument:
    fault = Fault(
        path="role_arn",
        value=arn,
        problem="is registered already",
        way_out="delete the role here first; that does nothing at its provider",
    )
    return InvalidArgument("the role cannot be registered", faults=[fault])
