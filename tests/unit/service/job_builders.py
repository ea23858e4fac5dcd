"""Jobs to begin with, for tests of the service and of the command line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cosbatch.model.identifiers import AccountId, RegionName
from cosbatch.model.jobs import JobRequest
from cosbatch.model.principals import Account, Caller, UserRole
from cosbatch.model.regions import Provider, Region
from cosbatch.service.documents import Document
from cosbatch.service.job_schema import parse_job

HOME = RegionName("ap-guangzhou")
AWAY = RegionName("ap-shanghai")
MANIFEST = "qcs::cos:ap-guangzhou::logs-125/inv/manifest.json"


def without_places(content: Mapping[str, Any]) -> Document:
    """A document that was no text."""
    return Document(content=content, lines={})


def job_content(*, copy: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """A job's document; ``copy`` are fields of the operation."""
    return {
        "region": HOME,
        "manifest": {"location": {"object_arn": MANIFEST}, "spec": {"format": "COSInventoryReport_CSV_V1"}},
        "operation": {"cos_put_object_copy": {"target_resource": "qcs::cos:ap-guangzhou::cold-125", **(copy or {})}},
        "report": {"bucket": "qcs::cos:ap-guangzhou::logs-125", "prefix": "reports"},
        **changes,
    }


def job_request(*, copy: dict[str, Any] | None = None, **changes: Any) -> JobRequest:
    return parse_job(without_places(job_content(copy=copy, **changes))).request


def region(name: RegionName) -> Region:
    return Region(
        name=name,
        provider=Provider.S3,
        endpoint=f"https://cos.{name}.myqcloud.com",
        profile="cos",
        signing_region=name,
    )


def caller_of(account: str, *, user: str = "anna", role: UserRole = UserRole.OPERATOR, via: str = "rest") -> Caller:
    made = Account(
        id=AccountId(account),
        name=account,
        uin="100000000001",
        appid="1250000000",
        aws_account_id="123456789012",
        created_at=1.0,
    )
    return Caller(account=made, user=user, role=role, via=via)
