"""What Tencent's own SDK sends for our calls, and what we make of what comes back: against a server that notes it."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any
from urllib.parse import unquote

import pytest

from cosbatch.identity.credentials import Credentials
from cosbatch.identity.policies import cam_policy, cam_trust
from cosbatch.identity.sts_tencent import TencentRoles
from cosbatch.model.errors import RoleNotAssumed, RoleRefusal
from cosbatch.model.identifiers import LOCAL_ACCOUNT
from cosbatch.model.principals import Role, RoleProvider
from tests.capturing_store import CapturedRequest, CapturingStore
from tests.unit.identity.test_policies import COPY

KEY = Credentials(access_key_id="AKIDexample", secret_access_key="example-secret")
ARN = "qcs::cam::uin/100000000001:roleName/batch"


def role(server: CapturingStore, **changes: Any) -> Role:
    return Role(
        arn=ARN,
        account=LOCAL_ACCOUNT,
        provider=RoleProvider.TENCENT_STS,
        created_at=0.0,
        sts_endpoint=server.endpoint,
        **changes,
    )


def answer(server: CapturingStore, **response: Any) -> None:
    body = json.dumps({"Response": {"RequestId": "r-1", **response}}).encode()
    server.answer(body, headers={"content-type": "application/json"})


def given(server: CapturingStore) -> None:
    credentials = {"Token": "token-1", "TmpSecretId": "AKIDtmp", "TmpSecretKey": "tmp-secret"}
    answer(server, Credentials=credentials, ExpiredTime=1_800_000_000, Expiration="2027-01-15T08:00:00Z")


def assert_signed(request: CapturedRequest, *, service: str) -> None:
    """TC3-HMAC-SHA256, worked out here once more from its description."""
    headers = request.headers
    words = dict(part.strip().split("=", 1) for part in headers["authorization"].partition(" ")[2].split(","))
    _, date, scope_service, _ = words["Credential"].split("/")
    signed = words["SignedHeaders"].split(";")
    canonical = "\n".join(
        [
            "POST",
            "/",
            "",
            *(f"{name}:{headers[name].lower()}" for name in signed),
            "",
            words["SignedHeaders"],
            hashlib.sha256(request.body).hexdigest(),
        ]
    )
    stated = hashlib.sha256(canonical.encode()).hexdigest()
    text = f"TC3-HMAC-SHA256\n{headers['x-tc-timestamp']}\n{date}/{service}/tc3_request\n{stated}"
    key = f"TC3{KEY.secret_access_key}".encode()
    for step in (date, service, "tc3_request"):
        key = hmac.digest(key, step.encode(), "sha256")
    assert scope_service == service
    assert words["Signature"] == hmac.new(key, text.encode(), "sha256").hexdigest()


async def test_assume_role_is_sent_as_the_sdk_sends_it() -> None:
    policy = cam_policy(COPY)
    async with CapturingStore() as server:
        given(server)
        found = await TencentRoles().assume(
            role(server, external_id="e-1", sts_region="ap-shanghai"),
            key=KEY,
            session_name="cosbatch-1",
            duration_seconds=3600,
            policy=policy,
        )

        [request] = server.requests
        sent = json.loads(request.body)
        assert (request.method, request.path) == ("POST", "/")
        shown = {name: request.headers[name] for name in ("x-tc-action", "x-tc-version", "x-tc-region")}
        assert shown == {"x-tc-action": "AssumeRole", "x-tc-version": "2018-08-13", "x-tc-region": "ap-shanghai"}
        assert json.loads(unquote(sent.pop("Policy"))) == policy
        assert sent == {
            "RoleArn": ARN,
            "RoleSessionName": "cosbatch-1",
            "DurationSeconds": 3600,
            "ExternalId": "e-1",
        }
        assert_signed(request, service="sts")
    assert found == Credentials(
        access_key_id="AKIDtmp",
        secret_access_key="tmp-secret",
        session_token="token-1",
        expires_at=1_800_000_000.0,
    )


async def test_what_is_not_wanted_is_not_sent() -> None:
    async with CapturingStore() as server:
        given(server)
        await TencentRoles().assume(
            role(server), key=KEY, session_name="cosbatch-1", duration_seconds=3600, policy=None
        )
        sent = json.loads(server.requests[0].body)
    assert sorted(sent) == ["DurationSeconds", "RoleArn", "RoleSessionName"]


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("ResourceNotFound.RoleNotFound", RoleRefusal.UNKNOWN_ROLE),
        ("InternalError.IllegalRole", RoleRefusal.UNKNOWN_ROLE),
        ("UnauthorizedOperation", RoleRefusal.NOT_ALLOWED),
        ("AuthFailure.UnauthorizedOperation", RoleRefusal.NOT_ALLOWED),
        ("AuthFailure.SecretIdNotFound", RoleRefusal.KEY_REFUSED),
        ("AuthFailure.SignatureFailure", RoleRefusal.KEY_REFUSED),
        ("AuthFailure.SignatureExpire", RoleRefusal.UNAVAILABLE),
        ("InvalidParameter.PolicyTooLong", RoleRefusal.POLICY_REFUSED),
        ("InvalidParameter.StrategyInvalid", RoleRefusal.POLICY_REFUSED),
        ("RequestLimitExceeded", RoleRefusal.UNAVAILABLE),
        ("InternalError.SystemError", RoleRefusal.UNAVAILABLE),
        ("InvalidParameter.ParamError", RoleRefusal.OTHER),
    ],
)
async def test_refusals_are_told_apart(code: str, reason: RoleRefusal) -> None:
    async with CapturingStore() as server:
        answer(server, Error={"Code": code, "Message": "why"})
        with pytest.raises(RoleNotAssumed, match=f"{code}: why") as raised:
            await TencentRoles().assume(role(server), key=KEY, session_name="s", duration_seconds=3600, policy=None)
    assert raised.value.reason is reason


async def test_a_server_that_is_not_there_may_come_back() -> None:
    async with CapturingStore() as server:
        gone = role(server)
    with pytest.raises(RoleNotAssumed) as raised:
        await TencentRoles().assume(gone, key=KEY, session_name="s", duration_seconds=3600, policy=None)
    assert raised.value.may_pass


async def test_a_role_is_made_with_its_policy() -> None:
    trust = cam_trust(principal="qcs::cam::uin/100000000001:root", external_id="e-1")
    permission = cam_policy(COPY)
    async with CapturingStore() as server:
        answer(server, RoleId="4611686018427397919")
        answer(server, PolicyId=17698703)
        answer(server)
        made = await TencentRoles(cam_endpoint=server.endpoint).create(
            role(server, description="copies"), key=KEY, name="batch", trust=trust, permission=permission
        )

        calls = [(request.headers["x-tc-action"], json.loads(request.body)) for request in server.requests]
        versions = {request.headers["x-tc-version"] for request in server.requests}
        for request in server.requests:
            assert_signed(request, service="cam")
    assert versions == {"2019-01-16"}
    assert [name for name, _ in calls] == ["CreateRole", "CreatePolicy", "AttachRolePolicy"]
    created, policy, attached = [sent for _, sent in calls]
    assert json.loads(created.pop("PolicyDocument")) == trust
    assert created == {"RoleName": "batch", "Description": "copies"}
    assert json.loads(policy.pop("PolicyDocument")) == permission
    assert policy == {"PolicyName": "batch", "Description": "copies"}
    assert attached == {"AttachRoleName": "batch", "PolicyName": "batch"}
    assert made == ARN


async def test_a_role_without_its_policy_is_taken_back() -> None:
    async with CapturingStore() as server:
        answer(server, RoleId="4611686018427397919")
        answer(server, Error={"Code": "FailedOperation.PolicyNameInUse", "Message": "there is one"})
        answer(server)
        with pytest.raises(RoleNotAssumed) as raised:
            await TencentRoles(cam_endpoint=server.endpoint).create(
                role(server), key=KEY, name="batch", trust=cam_trust(principal="p", external_id=""), permission={}
            )
        calls = [request.headers["x-tc-action"] for request in server.requests]
    assert raised.value.reason is RoleRefusal.ALREADY_THERE
    assert calls == ["CreateRole", "CreatePolicy", "DeleteRole"]
