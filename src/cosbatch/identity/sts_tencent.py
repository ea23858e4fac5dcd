"""Tencent Cloud's STS and CAM, through Tencent's own SDK packages, in threads.

AssumeRole is of API 2018-08-13 (cloud.tencent.com/document/product/1312/48197), CreateRole, CreatePolicy and
AttachRolePolicy of 2019-01-16. The SDK is loaded with the first call.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar
from urllib.parse import quote, urlsplit

from cosbatch.identity.credentials import Credentials
from cosbatch.identity.policies import Policy, compact
from cosbatch.model.arns import parse_role_arn
from cosbatch.model.errors import RoleNotAssumed, RoleRefusal
from cosbatch.model.principals import Role

T = TypeVar("T")

ANSWER_SECONDS: Final = 30
DEFAULT_REGION: Final = "ap-guangzhou"
_STS_HOST: Final = "sts.tencentcloudapi.com"
_CAM_HOST: Final = "cam.tencentcloudapi.com"

_REASONS: Final[tuple[tuple[str, RoleRefusal], ...]] = (
    ("ResourceNotFound", RoleRefusal.UNKNOWN_ROLE),
    ("InternalError.IllegalRole", RoleRefusal.UNKNOWN_ROLE),
    ("InvalidParameter.RoleNotExist", RoleRefusal.UNKNOWN_ROLE),
    ("InvalidParameter.RoleNameInUse", RoleRefusal.ALREADY_THERE),
    ("FailedOperation.PolicyNameInUse", RoleRefusal.ALREADY_THERE),
    ("InvalidParameter.PolicyTooLong", RoleRefusal.POLICY_REFUSED),
    ("InvalidParameter.StrategyInvalid", RoleRefusal.POLICY_REFUSED),
    ("InvalidParameter.StrategyFormatError", RoleRefusal.POLICY_REFUSED),
    ("InvalidParameter.OverLimit", RoleRefusal.POLICY_REFUSED),
    ("InvalidParameter.ResouceError", RoleRefusal.POLICY_REFUSED),
    ("InvalidParameter.ResourceError", RoleRefusal.POLICY_REFUSED),
    ("InvalidParameter.ActionError", RoleRefusal.POLICY_REFUSED),
    ("InvalidParameter.ConditionError", RoleRefusal.POLICY_REFUSED),
    ("UnauthorizedOperation", RoleRefusal.NOT_ALLOWED),
    ("OperationDenied", RoleRefusal.NOT_ALLOWED),
    ("AuthFailure.UnauthorizedOperation", RoleRefusal.NOT_ALLOWED),
    ("AuthFailure.SignatureExpire", RoleRefusal.UNAVAILABLE),
    ("AuthFailure", RoleRefusal.KEY_REFUSED),
    ("RequestLimitExceeded", RoleRefusal.UNAVAILABLE),
    ("InternalError", RoleRefusal.UNAVAILABLE),
    ("FailedOperation.Unavailable", RoleRefusal.UNAVAILABLE),
    ("ClientNetworkError", RoleRefusal.UNAVAILABLE),
    ("ServerNetworkError", RoleRefusal.UNAVAILABLE),
    ("ClientRequestError", RoleRefusal.UNAVAILABLE),
)
"""Codes, and the families that they are of; the first that fits."""


class TencentRoles:
    """A RoleAssumer and a RoleMaker. ``cam_endpoint`` is where roles are made; empty for Tencent's own address."""

    def __init__(self, *, cam_endpoint: str = "") -> None:
        self._cam_endpoint = cam_endpoint

    async def assume(
        self, role: Role, *, key: Credentials, session_name: str, duration_seconds: int, policy: Policy | None
    ) -> Credentials:
        wanted: dict[str, Any] = {
            "RoleArn": role.arn,
            "RoleSessionName": session_name,
            "DurationSeconds": duration_seconds,
        }
        if role.external_id:
            wanted["ExternalId"] = role.external_id
        if policy is not None:
            wanted["Policy"] = quote(compact(policy), safe="")  # the service decodes it once more
        return await _in_thread(lambda: _assume(role, key, wanted))

    async def create(self, role: Role, *, key: Credentials, name: str, trust: Policy, permission: Policy) -> str:
        """The permission policy is one of its own in CAM, of the role's name."""
        return await _in_thread(
            lambda: _create(role, key, self._cam_endpoint, name=name, trust=trust, permission=permission)
        )


def _assume(role: Role, key: Credentials, wanted: Mapping[str, Any]) -> Credentials:
    from tencentcloud.sts.v20180813 import models
    from tencentcloud.sts.v20180813.sts_client import StsClient

    credential, profile = _signing(key, role.sts_endpoint or f"https://{_STS_HOST}")
    request = models.AssumeRoleRequest()
    request.from_json_string(json.dumps(wanted))
    answer = StsClient(credential, role.sts_region or DEFAULT_REGION, profile).AssumeRole(request)
    return Credentials(
        access_key_id=answer.Credentials.TmpSecretId,
        secret_access_key=answer.Credentials.TmpSecretKey,
        session_token=answer.Credentials.Token,
        expires_at=float(answer.ExpiredTime),
    )


def _create(role: Role, key: Credentials, cam_endpoint: str, *, name: str, trust: Policy, permission: Policy) -> str:
    from tencentcloud.cam.v20190116 import models
    from tencentcloud.cam.v20190116.cam_client import CamClient

    credential, profile = _signing(key, cam_endpoint or f"https://{_CAM_HOST}")
    cam = CamClient(credential, "", profile)
    description = role.description or "cosbatch"

    def ask(call: str, **wanted: Any) -> Any:
        request = getattr(models, f"{call}Request")()
        request.from_json_string(json.dumps(wanted))
        return getattr(cam, call)(request)

    ask("CreateRole", RoleName=name, PolicyDocument=compact(trust), Description=description)
    try:
        ask("CreatePolicy", PolicyName=name, PolicyDocument=compact(permission), Description=description)
        ask("AttachRolePolicy", AttachRoleName=name, PolicyName=name)
    except Exception:
        ask("DeleteRole", RoleName=name)  # it can do nothing: whoever tries again would only be told that it is there
        raise
    named = parse_role_arn(role.arn)
    return f"qcs::cam::uin/{named.account}:roleName/{name}" if named else role.arn


def _signing(key: Credentials, endpoint: str) -> tuple[Any, Any]:
    from tencentcloud.common.credential import Credential
    from tencentcloud.common.profile.client_profile import ClientProfile
    from tencentcloud.common.profile.http_profile import HttpProfile

    address = urlsplit(endpoint)
    http = HttpProfile(protocol=address.scheme, endpoint=address.netloc, reqTimeout=ANSWER_SECONDS)
    credential = Credential(key.access_key_id, key.secret_access_key, key.session_token or None)
    return credential, ClientProfile(httpProfile=http)


async def _in_thread(call: Callable[[], T]) -> T:
    return await asyncio.to_thread(_translated, call)


def _translated(call: Callable[[], T]) -> T:
    """What ``call`` gives; errors in our words."""
    from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException

    try:
        return call()
    except TencentCloudSDKException as error:
        raise RoleNotAssumed(_reason(str(error.code or "")), f"{error.code}: {error.message}") from error
    except OSError as error:
        raise RoleNotAssumed(RoleRefusal.UNAVAILABLE, f"the STS does not answer: {error}") from error


def _reason(code: str) -> RoleRefusal:
    return next(
        (reason for known, reason in _REASONS if code == known or code.startswith(f"{known}.")), RoleRefusal.OTHER
    )
