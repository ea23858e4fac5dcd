"""The sections ``accounts`` and ``users``: who may use the service, declared by the operator."""

from __future__ import annotations

import re
from typing import Annotated, Final

from pydantic import AfterValidator, Field, StrictStr

from cosbatch.model.principals import UserRole
from cosbatch.service.faults import refused
from cosbatch.settings.fields import Section

_PRINCIPAL_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")


def principal_name(name: str) -> str:
    if not _PRINCIPAL_NAME.fullmatch(name):
        raise refused("is no name", way_out="use letters, digits, dots, hyphens and @, 64 at most")
    return name


def _digits(text: str) -> str:
    if not text.isascii() or not text.isdigit() or len(text) > 20:
        raise refused("is no number", way_out='write its digits in quotes, such as "100000000001"')
    return text


def _twelve_digits(text: str) -> str:
    if not text.isascii() or not text.isdigit() or len(text) != 12:
        raise refused("is no AWS account id", way_out="write twelve digits in quotes")
    return text


class AccountSettings(Section):
    """A wall around jobs, keys and roles. Clients name it by one of three numbers."""

    uin: Annotated[StrictStr, AfterValidator(_digits)] = Field(
        description="The number in the host `<uin>.cos-control...` and in CAM role ARNs."
    )
    appid: Annotated[StrictStr, AfterValidator(_digits)] = Field(description="What clients send as `x-cos-appid`.")
    aws_account_id: Annotated[StrictStr, AfterValidator(_twelve_digits)] = Field(
        description="Twelve digits: the account of S3 clients and in IAM role ARNs."
    )
    is_disabled: bool = Field(default=False, description="Whether all of its users are kept out for now.")


class UserSettings(Section):
    """A person or a program. It gets its password and keys by ``cosbatch admin``."""

    account: Annotated[StrictStr, AfterValidator(principal_name)] = Field(description="The account that it belongs to.")
    role: UserRole = Field(default=UserRole.OPERATOR, description="What it may do: `viewer`, `operator` or `admin`.")
    is_disabled: bool = Field(default=False, description="Whether it is kept out for now.")
