"""Calls about roles."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from cosbatch.client.calls import ApiCall, JobContent, asking, content_of, job_content, looking, path_of, removing
from cosbatch.client.paging import Page, pages_of
from cosbatch.client.role_shapes import Role, RoleMade, RolePolicies, RoleTested
from cosbatch.client.shape_reader import record
from cosbatch.model.principals import RoleProvider


def list_roles(*, limit: int = 50, cursor: str = "") -> ApiCall[Page[Role]]:
    """Those that jobs of the account may name, without their secrets."""
    return looking("/roles", pages_of(Role), limit=limit, cursor=cursor)


def create_role(
    role_arn: str,
    *,
    provider: RoleProvider,
    access_key_id: str,
    secret_access_key: str,
    session_token: str = "",
    external_id: str = "",
    sts_endpoint: str = "",
    sts_region: str = "",
    description: str = "",
    writable_buckets: Collection[str] = (),
    make_for: JobContent | None = None,
    source_bucket: str = "",
    principal: str = "",
) -> ApiCall[RoleMade]:
    """Registers a role; the key is that which assumes it, or its own. ``make_for``: make it at its provider too, with
    what this job needs, whose manifest lists ``source_bucket``; ``principal`` may assume it then."""
    content: dict[str, Any] = content_of(
        role_arn=role_arn,
        provider=str(provider),
        access_key_id=access_key_id,
        secret_access_key=secret_access_key,
        session_token=session_token,
        external_id=external_id,
        sts_endpoint=sts_endpoint,
        sts_region=sts_region,
        description=description,
        writable_buckets=list(writable_buckets),
        make_for=None if make_for is None else job_content(make_for),
        source_bucket=source_bucket,
        principal=principal,
    )
    return asking("POST", "/roles", content, record(RoleMade))


def describe_role(role_arn: str) -> ApiCall[Role]:
    return looking(path_of("/roles", role_arn), record(Role))


def replace_role_key(
    role_arn: str, *, access_key_id: str, secret_access_key: str, session_token: str = ""
) -> ApiCall[Role]:
    """Another key in place of the one that assumes a role, or of a stored role's own. Jobs take it as soon as it has
    proved good; :func:`test_role` says what it may."""
    content = {
        "access_key_id": access_key_id,
        "secret_access_key": secret_access_key,
        "session_token": session_token,
    }
    return asking("PUT", path_of("/roles", role_arn, "key"), content, record(Role), may_repeat=True)


def delete_role(role_arn: str) -> ApiCall[None]:
    """From the registry; its provider keeps it."""
    return removing(path_of("/roles", role_arn))


def test_role(role_arn: str, job: JobContent) -> ApiCall[RoleTested]:
    """What of a job's needs a role may do, by doing it. No object is changed."""
    path = path_of("/roles", role_arn) + ":test"
    return asking("POST", path, {"job": job_content(job)}, record(RoleTested), may_repeat=True)


def role_policies(
    role_arn: str,
    *,
    provider: RoleProvider,
    job: JobContent,
    source_bucket: str = "",
    external_id: str = "",
    principal: str = "",
) -> ApiCall[RolePolicies]:
    """The trust policy and the least permission policy that a role needs for a job."""
    content = {
        "role_arn": role_arn,
        "provider": str(provider),
        "job": job_content(job),
        "source_bucket": source_bucket,
        "external_id": external_id,
        "principal": principal,
    }
    return asking("POST", "/roles:policies", content, record(RolePolicies), may_repeat=True)
