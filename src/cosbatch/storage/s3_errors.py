"""What a refusal of an S3 store means: its error code, its status and its headers as a :class:`StorageError`.

Codes are those of the Amazon S3 and COS error tables, and the further ones that Ceph, MinIO and SeaweedFS send.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Final

from cosbatch.model.errors import StorageError, StorageReason

MESSAGE_LENGTH: Final = 500

_R = StorageReason
_CODES: Final[Mapping[StorageReason, str]] = {
    _R.NO_SUCH_KEY: "NoSuchKey NoSuchCopySource",
    _R.NO_SUCH_VERSION: "NoSuchVersion",
    _R.NO_SUCH_BUCKET: "NoSuchBucket InvalidBucketName",
    _R.NO_SUCH_UPLOAD: "NoSuchUpload",
    _R.ACCESS_DENIED: "AccessDenied AllAccessDisabled AccountProblem AccessForbidden UserSuspended UnauthorizedAccess"
    " PaymentRequired NoProcessAuthority UserNotSourceBucketOwner UserNotTargetBucketOwner BucketLocked ObjectLocked"
    " DomainAuditFailed UnavailableForLegalReasons",
    _R.CREDENTIALS_EXPIRED: "ExpiredToken TokenRefreshRequired ExpiredTokenException",
    _R.CREDENTIALS_REFUSED: "InvalidAccessKeyId SignatureDoesNotMatch InvalidToken InvalidSecurity NotSignedUp"
    " MissingSecurityHeader MissingAuthenticationToken InvalidSecretId AuthFailure",
    _R.CLOCK_SKEWED: "RequestTimeTooSkewed RequestExpired RequestIsExpired AccessTimeTooSkewed",
    _R.PRECONDITION_FAILED: "PreconditionFailed NotModified",
    _R.INVALID_OBJECT_STATE: "InvalidObjectState ObjectNotInActiveTierError RestoreNonArchiveObject",
    _R.RESTORE_IN_PROGRESS: "RestoreAlreadyInProgress",
    _R.CONFLICT: "OperationAborted ConditionalRequestConflict Conflict ConcurrentModification PathConflict"
    " UploadConflict",
    _R.TOO_LARGE: "EntityTooLarge",
    _R.INVALID_REQUEST: "InvalidRequest InvalidArgument InvalidTag InvalidRange MalformedXML MalformedACLError"
    " InvalidPart InvalidPartOrder EntityTooSmall InvalidStorageClass MetadataTooLarge UserKeyMustBeSpecified"
    " InvalidTargetBucketForLogging MissingContentLength UnresolvableGrantByEmailAddress InvalidCopySource"
    " InvalidCopyDest InvalidEncryptionAlgorithmError InvalidDirective InvalidTagKey InvalidTagValue BadRequest"
    " BadRquest BucketVersionNotOpen InvalidBucketState InvalidDelimiter InvalidLocationConstraint InvalidRegionName"
    " InvalidUploadStatus KmsException KmsKeyDisabled KmsKeyNotExist MAZOperationNotSupportOnOAZBucket"
    " MissingRequestBodyError MultiAZFeatureNotSupport NotSupportedStorageClass OAZOperationNotSupportOnMAZBucket"
    " ObjectNotAppendable SSEContentNotSupported SSEHeaderNotAllowed SsecDecryptHeaderInvalid UnexpectedContent"
    " UploadIdNotSupported XMLSizeLimit",
    _R.INVALID_KEY: "KeyTooLongError KeyTooLong InvalidObjectName InvalidURI XMinioInvalidObjectName",
    _R.NOT_IMPLEMENTED: "NotImplemented XNotImplemented UnsupportedOperation",
    _R.WRONG_REGION: "PermanentRedirect TemporaryRedirect Redirect AuthorizationHeaderMalformed RegionMismatch"
    " IncorrectEndpoint",
    _R.QUOTA_EXCEEDED: "QuotaExceeded XMinioStorageFull XMinioAdminBucketQuotaExceeded InsufficientStorage"
    " BucketQuotaExceeded",
    _R.SLOW_DOWN: "SlowDown SlowDownRead SlowDownWrite ServiceUnavailable Throttling ThrottlingException"
    " TooManyRequests RequestLimitExceeded BandwidthLimitExceeded ServerBusy KmsFreqControl",
    _R.SERVER_ERROR: "InternalError InternalServerError BadGateway GatewayTimeout",
    _R.BODY_DAMAGED: "BadDigest InvalidDigest XAmzContentSHA256Mismatch IncompleteBody RequestTimeout"
    " InvalidSHA1Digest EntitySizeNotMatch UserNetworkTooSlow",
}
_REASON_OF_CODE: Final[Mapping[str, StorageReason]] = {
    code: reason for reason, codes in _CODES.items() for code in codes.split()
}
_PROXY_REFUSED: Final = 407
"""A proxy's word: the store knows nothing of the request."""
_REASON_OF_STATUS: Final[Mapping[int, StorageReason]] = {
    301: _R.WRONG_REGION,
    302: _R.WRONG_REGION,
    304: _R.PRECONDITION_FAILED,
    307: _R.WRONG_REGION,
    308: _R.WRONG_REGION,
    400: _R.INVALID_REQUEST,
    401: _R.CREDENTIALS_REFUSED,
    403: _R.ACCESS_DENIED,
    404: _R.NO_SUCH_KEY,
    _PROXY_REFUSED: _R.REFUSED,
    409: _R.CONFLICT,
    411: _R.INVALID_REQUEST,
    412: _R.PRECONDITION_FAILED,
    413: _R.TOO_LARGE,
    414: _R.INVALID_KEY,
    416: _R.INVALID_REQUEST,
    429: _R.SLOW_DOWN,
    501: _R.NOT_IMPLEMENTED,
    507: _R.QUOTA_EXCEEDED,
}
_EXPIRED: Final = "Request has expired"
_SIGNATURE: Final = re.compile(r"(?i)(signature=)[0-9a-z%/+]+")


def refusal(
    *,
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    target: str,
    about_version: bool = False,
    about_bucket: bool = False,
    now: float,
    secrets: tuple[str, ...] = (),
) -> StorageError:
    """The error that an answer is. An answer to HEAD has no body: then the status says what there is to say.

    ``about_version`` and ``about_bucket`` say what a 404 is about; ``now`` is what a ``Retry-After`` date is counted
    from; ``secrets`` are kept out of the message, should a store echo them.
    """
    code = text_between(body, b"Code")
    known = reason_of_code(code, text_between(body, b"Message"))
    reason = _reason(code, status, known, about_version=about_version, about_bucket=about_bucket)
    if about_version and _is_delete_marker(headers, status, code=code):
        reason = StorageReason.DELETE_MARKER
    return StorageError(
        reason,
        _message(body, status, secrets=secrets),
        code=code or (str(status) if reason is StorageReason.OTHER else ""),
        http_status=0 if status == _PROXY_REFUSED else status,
        target=target,
        request_id=_request_id(headers, body),
        retry_after_seconds=_retry_after(headers, now=now),
    )


def malformed(problem: str, *, status: int, headers: Mapping[str, str], target: str) -> StorageError:
    """An answer that says success and does not have what such an answer must have."""
    return StorageError(
        StorageReason.MALFORMED_ANSWER,
        problem,
        http_status=status,
        target=target,
        request_id=_request_id(headers, b""),
    )


def reason_of_code(code: str, message: str = "") -> StorageReason | None:
    """What a store's error code means; None for one that is on no list.

    COS says of a signature whose time is over that access is denied; only its message tells the one from the other.
    """
    if _EXPIRED in message and code == "AccessDenied":
        return StorageReason.CLOCK_SKEWED
    return _REASON_OF_CODE.get(code)


def text_between(body: bytes, tag: bytes) -> str:
    """The text of the first element with this name, entities resolved; empty where there is none.

    For short answers of which one or two fields are wanted: an XML parser costs more than the whole request.
    """
    start = body.find(b"<" + tag + b">")
    if start < 0:
        return ""
    start += len(tag) + 2
    end = body.find(b"</" + tag + b">", start)
    return html.unescape(body[start:end].decode("utf-8", "replace")).strip() if end >= 0 else ""


def _reason(
    code: str, status: int, known: StorageReason | None, *, about_version: bool, about_bucket: bool
) -> StorageReason:
    """Ceph and SeaweedFS answer NoSuchKey also for a version that is not there; its key may well be.

    Nothing was done only where the store itself says so with a code that is known. A bare 503 may come from a proxy
    whose store has done what it was asked, and a success that is none (202, an ``<Error>`` without a code) says as
    little: whoever wrote has to look.
    """
    if status == 404 and about_version and code in ("", "NoSuchKey"):
        return StorageReason.NO_SUCH_VERSION
    if known is not None:
        return known
    if status < 300:
        return StorageReason.SERVER_ERROR if code else StorageReason.MALFORMED_ANSWER
    if code and status != 429 and status < 500:
        return StorageReason.OTHER
    if status == 404 and about_bucket:
        return StorageReason.NO_SUCH_BUCKET
    fallback = StorageReason.SERVER_ERROR if status >= 500 else StorageReason.OTHER
    return _REASON_OF_STATUS.get(status, fallback)


def _is_delete_marker(headers: Mapping[str, str], status: int, *, code: str) -> bool:
    """S3 says so in a header; a 405 to a read of a version can mean nothing else."""
    if any(headers.get(f"x-{prefix}-delete-marker") == "true" for prefix in ("amz", "cos")):
        return True
    return status == 405 and code in ("", "MethodNotAllowed")


def _message(body: bytes, status: int, *, secrets: tuple[str, ...]) -> str:
    if status == _PROXY_REFUSED:
        return "the proxy answered 407: it wants other credentials than those of its URL"
    text = text_between(body, b"Message") or f"the store answered {status} and did not say why"
    for secret in secrets:
        if secret:
            text = text.replace(secret, "***")
    text = _SIGNATURE.sub(r"\1***", text)
    return text if len(text) <= MESSAGE_LENGTH else text[: MESSAGE_LENGTH - 3] + "..."


def _request_id(headers: Mapping[str, str], body: bytes) -> str:
    known = headers.get("x-amz-request-id") or headers.get("x-cos-request-id") or text_between(body, b"RequestId")
    return known[:200]


def _retry_after(headers: Mapping[str, str], *, now: float) -> float | None:
    """Seconds, or an HTTP date (RFC 9110, 10.2.3); None where there is none, or it says nothing."""
    asked = headers.get("retry-after", "").strip()
    if not asked:
        return None
    if asked.isdecimal():
        return float(asked[:9])
    try:
        return max(0.0, parsedate_to_datetime(asked).timestamp() - now)
    except ValueError:
        return None
