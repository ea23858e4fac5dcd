"""AWS's STS and IAM, and every store that has them: Ceph, MinIO, SeaweedFS. Through botocore, in threads.

botocore is asked for its signature, its wire and its list of endpoints, and for nothing of the machine's: key, region
and address come with the call. It is loaded with the first one.

Of Ceph 16.2 and SeaweedFS 4.48: errors stand at the root of the answer, where botocore does not look; Ceph says
AccessDenied also of a key that it does not know, and refuses whoever comes with an external id to a role that asks for
one; both take a session policy, Ceph only without white space.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from cosbatch.identity.credentials import Credentials
from cosbatch.identity.policies import Policy, compact
from cosbatch.model.errors import RoleNotAssumed, RoleRefusal
from cosbatch.model.principals import Role

T = TypeVar("T")

CONNECT_SECONDS: Final = 10
ANSWER_SECONDS: Final = 30
POLICY_NAME: Final = "cosbatch"
DEFAULT_REGION: Final = "us-east-1"

_REASONS: Final[Mapping[str, RoleRefusal]] = {
    "NoSuchEntity": RoleRefusal.UNKNOWN_ROLE,
    "NoSuchEntityException": RoleRefusal.UNKNOWN_ROLE,
    "NoSuchRole": RoleRefusal.UNKNOWN_ROLE,
    "AccessDenied": RoleRefusal.NOT_ALLOWED,
    "AccessDeniedException": RoleRefusal.NOT_ALLOWED,
    "UnauthorizedOperation": RoleRefusal.NOT_ALLOWED,
    "InvalidClientTokenId": RoleRefusal.KEY_REFUSED,
    "InvalidAccessKeyId": RoleRefusal.KEY_REFUSED,
    "SignatureDoesNotMatch": RoleRefusal.KEY_REFUSED,
    "UnrecognizedClientException": RoleRefusal.KEY_REFUSED,
    "IncompleteSignature": RoleRefusal.KEY_REFUSED,
    "AuthFailure": RoleRefusal.KEY_REFUSED,
    "ExpiredToken": RoleRefusal.KEY_REFUSED,
    "ExpiredTokenException": RoleRefusal.KEY_REFUSED,
    "MalformedPolicyDocument": RoleRefusal.POLICY_REFUSED,
    "PackedPolicyTooLarge": RoleRefusal.POLICY_REFUSED,
    "EntityAlreadyExists": RoleRefusal.ALREADY_THERE,
    "EntityAlreadyExistsException": RoleRefusal.ALREADY_THERE,
    "RequestTimeTooSkewed": RoleRefusal.UNAVAILABLE,
    "RequestExpired": RoleRefusal.UNAVAILABLE,
    "Throttling": RoleRefusal.UNAVAILABLE,
    "ThrottlingException": RoleRefusal.UNAVAILABLE,
    "RequestLimitExceeded": RoleRefusal.UNAVAILABLE,
    "SlowDown": RoleRefusal.UNAVAILABLE,
    "RegionDisabledException": RoleRefusal.NOT_ALLOWED,
}
_FIRST_SERVER_ERROR: Final = 500
_TOO_MANY: Final = 429


class AwsRoles:
    """A RoleAssumer and a RoleMaker."""

    def __init__(self, *, ca_files: Mapping[str, str] | None = None) -> None:
        """``ca_files``: by endpoint, the PEM file with the authorities to trust there instead of the system's."""
        self._ca_files = ca_files or {}

    async def assume(
        self, role: Role, *, key: Credentials, session_name: str, duration_seconds: int, policy: Policy | None
    ) -> Credentials:
        wanted = {"RoleArn": role.arn, "RoleSessionName": session_name, "DurationSeconds": duration_seconds}
        if role.external_id:
            wanted["ExternalId"] = role.external_id
        if policy is not None:
            wanted["Policy"] = compact(policy)
        answer = await _in_thread(lambda: self._client("sts", role, key).assume_role(**wanted))
        found = answer["Credentials"]
        return Credentials(
            access_key_id=found["AccessKeyId"],
            secret_access_key=found["SecretAccessKey"],
            session_token=found["SessionToken"],
            expires_at=found["Expiration"].timestamp(),
        )

    async def create(self, role: Role, *, key: Credentials, name: str, trust: Policy, permission: Policy) -> str:
        return await _in_thread(lambda: self._create(role, key, name=name, trust=trust, permission=permission))

    def _create(self, role: Role, key: Credentials, *, name: str, trust: Policy, permission: Policy) -> str:
        iam = self._client("iam", role, key)
        made = iam.create_role(
            RoleName=name,
            Path="/",
            AssumeRolePolicyDocument=compact(trust),
            Description=role.description or POLICY_NAME,
        )
        try:
            iam.put_role_policy(RoleName=name, PolicyName=POLICY_NAME, PolicyDocument=compact(permission))
        except Exception:
            iam.delete_role(RoleName=name)  # it can do nothing: a second attempt would only be told that it is there
            raise
        return str(made["Role"]["Arn"])

    def _client(self, service: str, role: Role, key: Credentials) -> Any:
        from botocore.config import Config
        from botocore.session import Session

        return Session().create_client(
            service,
            region_name=role.sts_region or DEFAULT_REGION,
            endpoint_url=_endpoint_of(service, role),
            verify=self._ca_files.get(role.sts_endpoint),
            aws_access_key_id=key.access_key_id,
            aws_secret_access_key=key.secret_access_key,
            aws_session_token=key.session_token or None,
            config=Config(
                connect_timeout=CONNECT_SECONDS,
                read_timeout=ANSWER_SECONDS,
                retries={"mode": "standard", "total_max_attempts": 2},
            ),
        )


def _endpoint_of(service: str, role: Role) -> str | None:
    """A store has both at one address; in AWS the STS has one of its own, and IAM another, which botocore knows."""
    host = urlsplit(role.sts_endpoint).hostname or ""
    is_aws = host.endswith((".amazonaws.com", ".amazonaws.com.cn"))
    return None if not host or (is_aws and service == "iam") else role.sts_endpoint


async def _in_thread(call: Callable[[], T]) -> T:
    return await asyncio.to_thread(_translated, call)


def _translated(call: Callable[[], T]) -> T:
    """What ``call`` gives; errors in our words."""
    from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError, NoRegionError, ParamValidationError

    try:
        return call()
    except ClientError as error:
        raise _refusal(error.response) from error
    except HTTPClientError as error:
        raise RoleNotAssumed(RoleRefusal.UNAVAILABLE, f"the STS does not answer: {error}") from error
    except (ParamValidationError, NoRegionError) as error:
        raise RoleNotAssumed(RoleRefusal.OTHER, str(error)) from error
    except (BotoCoreError, OSError) as error:
        raise RoleNotAssumed(RoleRefusal.UNAVAILABLE, f"the STS does not answer: {error}") from error


def _refusal(response: Mapping[str, Any]) -> RoleNotAssumed:
    told = response.get("Error") or response  # Ceph and SeaweedFS leave the envelope out
    code = str(told.get("Code") or "")
    status = int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    said = f"{code or status}: {told.get('Message') or 'no reason given'}"
    if code in _REASONS:
        return RoleNotAssumed(_REASONS[code], said)
    if status >= _FIRST_SERVER_ERROR or status == _TOO_MANY:
        return RoleNotAssumed(RoleRefusal.UNAVAILABLE, said)
    return RoleNotAssumed(RoleRefusal.OTHER, said)
