"""Roles under which jobs act: registered, tested, deleted, and the policies to paste at their providers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final

from fastapi import Body, Path, Response
from pydantic import Field

from cosbatch.identity.credentials import Credentials
from cosbatch.identity.policies import Purpose
from cosbatch.identity.role_tests import AccessTried, RoleTest, TrialOutcome, Verdict
from cosbatch.model.identifiers import Bucket
from cosbatch.model.jobs import JobRequest
from cosbatch.model.principals import RoleProvider, UserRole
from cosbatch.service.documents import Document
from cosbatch.service.job_schema import parse_job
from cosbatch.service.roles import BUCKETS_MAX, NewRole, RolePolicies, RoleSeen
from cosbatch.web.rest.browsing import refusals_of_store
from cosbatch.web.rest.calls import Access, Call
from cosbatch.web.rest.desks import AllDesks, WhoCalls
from cosbatch.web.rest.job_examples import ASKED_JOB
from cosbatch.web.rest.job_shapes import JobDocument
from cosbatch.web.rest.operator import page_of
from cosbatch.web.rest.shapes import (
    PAGE_DEFAULT,
    Form,
    PageCursor,
    PageLimit,
    Time,
    View,
    time_or_none,
    time_text,
)

TAG: Final = "roles"
ARN_MAX: Final = 1024
_TEXT_MAX: Final = 4096
OneRole = Annotated[str, Path(max_length=ARN_MAX, description="The role's ARN, percent-encoded.")]
_ARN: Final = "arn:aws:iam::123456789012:role/batch"
_ROLE: Final[dict[str, Any]] = {
    "role_arn": _ARN,
    "provider": "aws-sts",
    "description": "nightly archive",
    "is_declared": False,
    "created_at": "2026-11-26T08:00:00.000Z",
    "key_changed_at": None,
    "writable_buckets": ["archive-1250000000"],
    "used_by_jobs": {"unfinished": 2, "total": 31, "newest_at": "2026-11-27T01:00:00.000Z"},
    "last_test": {
        "at": "2026-11-26T08:05:00.000Z",
        "by": "olga",
        "outcome": "passed",
        "refusal": "",
        "accesses": [{"purpose": "manifest read", "verdict": "may", "detail": "GET logs-1250000000/inv/manifest.json"}],
    },
    "provider_details": {
        "external_id": "cosbatch-7",
        "sts_endpoint": "",
        "sts_region": "",
        "access_key_id": "AKIA…MPLE",
    },
}
_TRUST: Final[dict[str, Any]] = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"AWS": ["arn:aws:iam::123456789012:user/operator"]},
            "Action": ["sts:AssumeRole"],
        }
    ],
}
_PERMISSION: Final[dict[str, Any]] = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["arn:aws:s3:::logs/*"]}],
}
_POLICIES: Final = {"trust": _TRUST, "permission": _PERMISSION}


def role_calls() -> list[Call]:
    return [*_looking(), *_changing()]


def _looking() -> list[Call]:
    return [
        Call(
            method="GET",
            path="/roles",
            answer=list_roles,
            access=Access.VIEWER,
            tag=TAG,
            summary="List roles",
            shape=RolePage,
            example={"items": [_ROLE], "next_cursor": None},
        ),
        Call(
            method="POST",
            path="/roles:policies",
            answer=role_policies,
            access=Access.OPERATOR,
            tag=TAG,
            summary="Write the policies that a role needs for a job",
            shape=PoliciesView,
            asked={"role_arn": _ARN, "provider": "aws-sts", "job": ASKED_JOB},
            example=_POLICIES,
        ),
        Call(
            method="POST",
            path="/roles/{role_arn:path}:test",
            answer=test_role,
            access=Access.OPERATOR,
            tag=TAG,
            summary="Say what of a job's needs a role may do",
            shape=RoleTestedView,
            asked={"job": ASKED_JOB},
            example={
                "role_arn": _ARN,
                "is_narrowed": True,
                "accesses": [
                    {"purpose": "manifest read", "verdict": "may", "detail": "GET logs-1250000000/inv/manifest.json"}
                ],
            },
        ),
        Call(
            method="GET",
            path="/roles/{role_arn:path}",
            answer=describe_role,
            access=Access.VIEWER,
            tag=TAG,
            summary="Describe a role",
            shape=RoleView,
            example=_ROLE,
        ),
    ]


def _changing() -> list[Call]:
    return [
        Call(
            method="POST",
            path="/roles",
            answer=create_role,
            access=Access.ADMIN,
            tag=TAG,
            summary="Register a role",
            shape=RoleMadeView,
            status=201,
            asked={
                "role_arn": _ARN,
                "provider": "aws-sts",
                "access_key_id": "AKIA2345EXAMPLE",
                "secret_access_key": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLE",
                "writable_buckets": ["archive-1250000000"],
            },
            example={"role": _ROLE, "is_made": False, "why_not": "", "policies": None},
            has_secrets=True,
        ),
        Call(
            method="PUT",
            path="/roles/{role_arn:path}/key",
            answer=replace_role_key,
            access=Access.ADMIN,
            tag=TAG,
            summary="Give a role another key",
            shape=RoleView,
            asked={
                "access_key_id": "AKIA6789EXAMPLE",
                "secret_access_key": "bPxRfiCYEXAMPLEKEYwJalrXUtnFEMI/K7MDENG",
            },
            example=_ROLE | {"key_changed_at": "2026-11-27T08:00:00.000Z", "last_test": None},
            has_secrets=True,
        ),
        Call(
            method="DELETE",
            path="/roles/{role_arn:path}",
            answer=delete_role,
            access=Access.ADMIN,
            tag=TAG,
            summary="Delete a role from the registry",
            status=204,
        ),
    ]


# --- shapes


class RoleForm(Form):
    role_arn: str = Field(max_length=ARN_MAX)
    provider: RoleProvider = Field(description="Who gives its credentials.")
    access_key_id: str = Field(max_length=_TEXT_MAX, description="Of what assumes it; of a stored role, its own.")
    secret_access_key: str = Field(max_length=_TEXT_MAX, description="Kept encrypted, and never shown.")
    session_token: str = Field(default="", max_length=_TEXT_MAX)
    external_id: str = Field(default="", max_length=128, description="What its trust policy asks for beside the key.")
    sts_endpoint: str = Field(
        default="",
        max_length=_TEXT_MAX,
        description="A region's endpoint, or one of its cloud; else the cloud's own.",
    )
    sts_region: str = Field(default="", max_length=64)
    description: str = Field(default="", max_length=256)
    writable_buckets: list[Annotated[str, Field(max_length=255)]] = Field(
        default=[],
        max_length=BUCKETS_MAX,
        description="What jobs under it may write or delete from; empty: any bucket that it may.",
    )
    make_for: JobDocument | None = Field(
        default=None, description="Make it at its provider, with what this job needs. It is registered anyhow."
    )
    source_bucket: str = Field(default="", max_length=255, description="That the manifest of that job lists; else any.")
    principal: str = Field(
        default="", max_length=ARN_MAX, description="Who may assume it; else the account of the role."
    )


class KeyForm(Form):
    access_key_id: str = Field(max_length=_TEXT_MAX, description="Of what assumes the role; of a stored one, its own.")
    secret_access_key: str = Field(max_length=_TEXT_MAX, description="Kept encrypted, and never shown.")
    session_token: str = Field(default="", max_length=_TEXT_MAX)


class PoliciesForm(Form):
    role_arn: str = Field(max_length=ARN_MAX)
    provider: RoleProvider = Field(description="In whose language.")
    job: JobDocument
    source_bucket: str = Field(default="", max_length=255, description="That the job's manifest lists; else any.")
    external_id: str = Field(default="", max_length=128)
    principal: str = Field(default="", max_length=ARN_MAX, description="Who may assume it; else the role's account.")


class TestForm(Form):
    job: JobDocument


class ProviderDetails(View):
    external_id: str
    sts_endpoint: str = Field(description="Empty: the provider's own.")
    sts_region: str
    access_key_id: str = Field(
        description="Of its key, without its middle: `AKID…9xQ2`. Empty where its secret cannot be read."
    )


class AccessTriedView(View):
    purpose: Purpose
    verdict: Verdict
    detail: str = Field(description="What was asked, and what the store has said; or why it was not tested.")


class RoleTestView(View):
    at: Time
    by: str
    outcome: TrialOutcome = Field(description="Failed: it cannot be assumed, or may not do some of it.")
    refusal: str = Field(description="Why it could not be assumed; empty where it could.")
    accesses: list[AccessTriedView] = Field(description="Of the job that it was tested with; for operators.")


class RoleUseView(View):
    unfinished: int
    total: int = Field(description="With those that have ended and are still kept.")
    newest_at: Time | None = Field(description="When the newest of them was created; null where there is none.")


class RoleView(View):
    role_arn: str
    provider: RoleProvider
    description: str
    is_declared: bool = Field(description="It stands in the settings, and is changed there.")
    created_at: Time | None = Field(description="Null for one of the settings.")
    key_changed_at: Time | None = Field(
        description="When its key was replaced; null where it has the one that it was registered with."
    )
    writable_buckets: list[str] = Field(description="What jobs under it may write or delete from; empty: any bucket.")
    used_by_jobs: RoleUseView
    last_test: RoleTestView | None = Field(description="With the key that it has; null where nobody has tested it.")
    provider_details: ProviderDetails | None = Field(description="For admins; null for everybody else.")


class RolePage(View):
    items: list[RoleView]
    next_cursor: str | None


class PoliciesView(View):
    """JSON documents of the provider's own language, to paste there."""

    trust: dict[str, Any] = Field(description="Who may assume the role.")
    permission: dict[str, Any] = Field(description="What it has to be allowed: no more than the job needs.")


class RoleMadeView(View):
    role: RoleView
    is_made: bool = Field(description="It was made at the provider.")
    why_not: str = Field(description="Where it was to be made: what the provider has said.")
    policies: PoliciesView | None = Field(description="Where it was to be made; else to be pasted by somebody who may.")


class RoleTestedView(View):
    role_arn: str
    is_narrowed: bool = Field(description="False: its provider takes no session policy, so jobs have all its rights.")
    accesses: list[AccessTriedView]


def role_view(seen: RoleSeen, *, reader: UserRole) -> RoleView:
    role, test, use = seen.role, seen.last_test, seen.use
    details = ProviderDetails(
        external_id=role.external_id,
        sts_endpoint=role.sts_endpoint,
        sts_region=role.sts_region,
        access_key_id=seen.key_hint,
    )
    return RoleView(
        role_arn=role.arn,
        provider=role.provider,
        description=role.description,
        is_declared=role.is_declared,
        created_at=None if role.is_declared else time_or_none(role.created_at),
        key_changed_at=time_or_none(role.key_changed_at),
        writable_buckets=list(role.writable_buckets),
        used_by_jobs=RoleUseView(unfinished=use.unfinished, total=use.total, newest_at=time_or_none(use.newest_at)),
        last_test=None if test is None else _test_view(test, reader=reader),
        provider_details=details if reader.may(UserRole.ADMIN) else None,
    )


def _test_view(test: RoleTest, *, reader: UserRole) -> RoleTestView:
    shows_all = reader.may(UserRole.OPERATOR)
    return RoleTestView(
        at=time_text(test.at),
        by=test.by,
        outcome=test.outcome,
        refusal=test.refusal if shows_all else "",
        accesses=_access_views(test.accesses) if shows_all else [],
    )


def _access_views(accesses: Sequence[AccessTried]) -> list[AccessTriedView]:
    return [AccessTriedView(purpose=each.purpose, verdict=each.verdict, detail=each.detail) for each in accesses]


def _policies_view(policies: RolePolicies) -> PoliciesView:
    return PoliciesView(trust=policies.trust, permission=policies.permission)


def _request(job: dict[str, Any]) -> JobRequest:
    return parse_job(Document(content=job, lines={}), lowest_priority=0).request


def _bucket(name: str) -> Bucket | None:
    return Bucket(name) if name else None


# --- calls


async def list_roles(
    desks: AllDesks, caller: WhoCalls, limit: PageLimit = PAGE_DEFAULT, cursor: PageCursor = ""
) -> RolePage:
    """Those that jobs of the account may name, by ARN. Nobody sees a secret."""
    found = await desks.roles.see_roles(caller=caller)
    page, following = page_of(found, place=lambda seen: (seen.role.arn,), limit=limit, cursor=cursor)
    return RolePage(items=[role_view(seen, reader=caller.role) for seen in page], next_cursor=following)


async def describe_role(role_arn: OneRole, desks: AllDesks, caller: WhoCalls) -> RoleView:
    """Nobody sees its secret."""
    return role_view(await desks.roles.see_role(role_arn, caller=caller), reader=caller.role)


async def create_role(
    form: Annotated[RoleForm, Body()], desks: AllDesks, caller: WhoCalls, response: Response
) -> RoleMadeView:
    """With `make_for` it is made at its provider first. Where the key may not do that, the answer has the policies to
    paste there."""
    new = NewRole(
        arn=form.role_arn,
        provider=form.provider,
        key=Credentials(
            access_key_id=form.access_key_id,
            secret_access_key=form.secret_access_key,
            session_token=form.session_token,
        ),
        external_id=form.external_id,
        sts_endpoint=form.sts_endpoint,
        sts_region=form.sts_region,
        description=form.description,
        writable_buckets=tuple(Bucket(name) for name in form.writable_buckets),
    )
    made = await desks.roles.create_role(
        new,
        caller=caller,
        make_for=_request(form.make_for) if form.make_for is not None else None,
        source_bucket=_bucket(form.source_bucket),
        principal=form.principal,
    )
    seen = await desks.roles.see_role(made.role.arn, caller=caller)
    return RoleMadeView(
        role=role_view(seen, reader=caller.role),
        is_made=made.is_made,
        why_not=made.why_not,
        policies=_policies_view(made.policies) if made.policies else None,
    )


async def replace_role_key(
    role_arn: OneRole, form: Annotated[KeyForm, Body()], desks: AllDesks, caller: WhoCalls
) -> RoleView:
    """In place of the one that it has, of which nothing is kept. Jobs that run go on with what they were given, until
    they have what comes of the new key: that is tried at once. What the new one may, `test_role` tells."""
    key = Credentials(
        access_key_id=form.access_key_id, secret_access_key=form.secret_access_key, session_token=form.session_token
    )
    await desks.roles.replace_role_key(role_arn, key=key, caller=caller)
    return role_view(await desks.roles.see_role(role_arn, caller=caller), reader=caller.role)


async def delete_role(role_arn: OneRole, desks: AllDesks, caller: WhoCalls) -> None:
    """Its provider keeps it. Not while a job needs it."""
    await desks.roles.delete_role(role_arn, caller=caller)


async def role_policies(form: Annotated[PoliciesForm, Body()], desks: AllDesks, caller: WhoCalls) -> PoliciesView:
    """Nothing is made or asked: they are written from the job alone."""
    policies = desks.roles.policies_for(
        form.role_arn,
        provider=form.provider,
        request=_request(form.job),
        source_bucket=_bucket(form.source_bucket),
        external_id=form.external_id,
        principal=form.principal,
    )
    return _policies_view(policies)


async def test_role(
    role_arn: OneRole, form: Annotated[TestForm, Body()], desks: AllDesks, caller: WhoCalls
) -> RoleTestedView:
    """By doing it: the manifest is read, an object that it lists is looked at, and uploads are begun and aborted where
    the job will write. No object is changed. The role shows it as `last_test`."""
    with refusals_of_store():
        tested = await desks.roles.test_role(role_arn, caller=caller, request=_request(form.job))
    return RoleTestedView(
        role_arn=role_arn,
        is_narrowed=tested.is_narrowed,
        accesses=_access_views(tested.accesses),
    )
