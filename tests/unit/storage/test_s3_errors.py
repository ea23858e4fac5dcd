"""What a refusal means: codes, statuses, headers, and messages without secrets."""

from __future__ import annotations

import pytest

from cosbatch.model.errors import StorageError, StorageReason
from cosbatch.storage import s3_errors

NOW = 1_700_000_000.0


def refusal(
    status: int,
    code: str = "",
    message: str = "",
    *,
    headers: dict[str, str] | None = None,
    about_version: bool = False,
    about_bucket: bool = False,
    secrets: tuple[str, ...] = (),
) -> StorageError:
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{message}</Message></Error>" if code else ""
    return s3_errors.refusal(
        status=status,
        headers=headers or {},
        body=body.encode(),
        target="GET b/k",
        about_version=about_version,
        about_bucket=about_bucket,
        now=NOW,
        secrets=secrets,
    )


@pytest.mark.parametrize(
    ("status", "code", "reason"),
    [
        (404, "NoSuchKey", StorageReason.NO_SUCH_KEY),
        (404, "NoSuchVersion", StorageReason.NO_SUCH_VERSION),
        (404, "NoSuchBucket", StorageReason.NO_SUCH_BUCKET),
        (404, "NoSuchUpload", StorageReason.NO_SUCH_UPLOAD),
        (403, "AccessDenied", StorageReason.ACCESS_DENIED),
        (400, "ExpiredToken", StorageReason.CREDENTIALS_EXPIRED),
        (403, "InvalidAccessKeyId", StorageReason.CREDENTIALS_REFUSED),
        (403, "SignatureDoesNotMatch", StorageReason.CREDENTIALS_REFUSED),
        (403, "RequestTimeTooSkewed", StorageReason.CLOCK_SKEWED),
        (412, "PreconditionFailed", StorageReason.PRECONDITION_FAILED),
        (403, "InvalidObjectState", StorageReason.INVALID_OBJECT_STATE),
        (405, "RestoreNonArchiveObject", StorageReason.INVALID_OBJECT_STATE),
        (409, "RestoreAlreadyInProgress", StorageReason.RESTORE_IN_PROGRESS),
        (409, "OperationAborted", StorageReason.CONFLICT),
        (400, "EntityTooLarge", StorageReason.TOO_LARGE),
        (400, "InvalidRequest", StorageReason.INVALID_REQUEST),
        (400, "KeyTooLongError", StorageReason.INVALID_KEY),
        (501, "NotImplemented", StorageReason.NOT_IMPLEMENTED),
        (301, "PermanentRedirect", StorageReason.WRONG_REGION),
        (307, "TemporaryRedirect", StorageReason.WRONG_REGION),
        (400, "AuthorizationHeaderMalformed", StorageReason.WRONG_REGION),
        (403, "QuotaExceeded", StorageReason.QUOTA_EXCEEDED),
        (503, "SlowDown", StorageReason.SLOW_DOWN),
        (503, "ServiceUnavailable", StorageReason.SLOW_DOWN),
        (500, "InternalError", StorageReason.SERVER_ERROR),
        (200, "InternalError", StorageReason.SERVER_ERROR),
        (200, "SlowDown", StorageReason.SLOW_DOWN),
        (400, "RequestTimeout", StorageReason.BODY_DAMAGED),
        (400, "BadDigest", StorageReason.BODY_DAMAGED),
        (400, "SomethingNew", StorageReason.OTHER),
        (403, "SomethingNew", StorageReason.OTHER),
        (500, "SomethingNew", StorageReason.SERVER_ERROR),
        (503, "SomethingNew", StorageReason.SERVER_ERROR),
        (503, "RequestLimitExceeded", StorageReason.SLOW_DOWN),
        (200, "SomethingNew", StorageReason.SERVER_ERROR),
        (200, "AccessDenied", StorageReason.ACCESS_DENIED),
        (202, "SomethingNew", StorageReason.SERVER_ERROR),
        (429, "SomethingNew", StorageReason.SLOW_DOWN),
        (402, "PaymentRequired", StorageReason.ACCESS_DENIED),
        (403, "UserNotSourceBucketOwner", StorageReason.ACCESS_DENIED),
        (409, "ObjectLocked", StorageReason.ACCESS_DENIED),
        (451, "UnavailableForLegalReasons", StorageReason.ACCESS_DENIED),
        (404, "NoSuchCopySource", StorageReason.NO_SUCH_KEY),
        (409, "UploadConflict", StorageReason.CONFLICT),
        (400, "NotSupportedStorageClass", StorageReason.INVALID_REQUEST),
        (400, "KmsKeyDisabled", StorageReason.INVALID_REQUEST),
        (400, "EntitySizeNotMatch", StorageReason.BODY_DAMAGED),
        (400, "UserNetworkTooSlow", StorageReason.BODY_DAMAGED),
        (503, "KmsFreqControl", StorageReason.SLOW_DOWN),
    ],
)
def test_code(status: int, code: str, reason: StorageReason) -> None:
    error = refusal(status, code, "why")
    assert (error.reason, error.code, error.http_status, error.message) == (reason, code, status, "why")


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (200, StorageReason.MALFORMED_ANSWER),
        (201, StorageReason.MALFORMED_ANSWER),
        (202, StorageReason.MALFORMED_ANSWER),
        (301, StorageReason.WRONG_REGION),
        (304, StorageReason.PRECONDITION_FAILED),
        (400, StorageReason.INVALID_REQUEST),
        (401, StorageReason.CREDENTIALS_REFUSED),
        (403, StorageReason.ACCESS_DENIED),
        (404, StorageReason.NO_SUCH_KEY),
        (412, StorageReason.PRECONDITION_FAILED),
        (416, StorageReason.INVALID_REQUEST),
        (418, StorageReason.OTHER),
        (429, StorageReason.SLOW_DOWN),
        (500, StorageReason.SERVER_ERROR),
        (502, StorageReason.SERVER_ERROR),
        (503, StorageReason.SERVER_ERROR),
        (504, StorageReason.SERVER_ERROR),
        (507, StorageReason.QUOTA_EXCEEDED),
    ],
)
def test_status_without_a_body(status: int, reason: StorageReason) -> None:
    error = refusal(status)
    assert error.reason is reason
    assert error.code == (str(status) if reason is StorageReason.OTHER else str(reason))
    assert str(status) in error.message


def test_what_a_404_is_about() -> None:
    assert refusal(404).reason is StorageReason.NO_SUCH_KEY
    assert refusal(404, about_version=True).reason is StorageReason.NO_SUCH_VERSION
    assert refusal(404, about_bucket=True).reason is StorageReason.NO_SUCH_BUCKET
    assert refusal(404, "NoSuchBucket", about_version=True).reason is StorageReason.NO_SUCH_BUCKET


def test_key_that_is_missing_where_a_version_was_named() -> None:
    error = refusal(404, "NoSuchKey", about_version=True)
    assert (error.reason, error.code) == (StorageReason.NO_SUCH_VERSION, "NoSuchKey")


@pytest.mark.parametrize(("status", "code"), [(405, "MethodNotAllowed"), (405, ""), (400, "InvalidRequest")])
def test_version_that_is_a_delete_marker(status: int, code: str) -> None:
    error = refusal(status, code, headers={"x-amz-delete-marker": "true"}, about_version=True)
    assert error.reason is StorageReason.DELETE_MARKER


def test_current_version_that_is_a_delete_marker_is_a_missing_key() -> None:
    assert refusal(404, headers={"x-amz-delete-marker": "true"}).reason is StorageReason.NO_SUCH_KEY


def test_method_not_allowed_without_a_version_is_no_marker() -> None:
    assert refusal(405, "MethodNotAllowed").reason is StorageReason.OTHER


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("3", 3.0),
        ("0", 0.0),
        ("Tue, 14 Nov 2023 22:13:50 GMT", 30.0),
        ("Tue, 14 Nov 2023 22:00:00 GMT", 0.0),
        ("soon", None),
        ("", None),
        ("-5", None),
    ],
)
def test_retry_after(text: str, seconds: float | None) -> None:
    assert refusal(503, "SlowDown", headers={"retry-after": text}).retry_after_seconds == seconds


def test_request_id_of_the_header_or_the_body() -> None:
    assert refusal(500, headers={"x-amz-request-id": "r1"}).request_id == "r1"
    body = b"<Error><Code>InternalError</Code><RequestId>r2</RequestId></Error>"
    error = s3_errors.refusal(status=500, headers={}, body=body, target="t", now=NOW)
    assert error.request_id == "r2"


def test_message_is_unescaped_and_cut() -> None:
    assert refusal(400, "InvalidRequest", "a &lt; b &amp; c").message == "a < b & c"
    long = refusal(400, "InvalidRequest", "x" * 2000).message
    assert len(long) == s3_errors.MESSAGE_LENGTH
    assert long.endswith("...")


def test_message_has_no_secret() -> None:
    error = refusal(
        403,
        "AccessDenied",
        "token FwoGZXIvYXdz with key wJalrXUtnFEMI, Signature=0123abcdef/x, bad",
        secrets=("wJalrXUtnFEMI", "FwoGZXIvYXdz", ""),
    )
    assert error.message == "token *** with key ***, Signature=***, bad"


def test_a_page_of_a_proxy_is_no_message() -> None:
    error = s3_errors.refusal(status=502, headers={}, body=b"<html>secret stack</html>", target="t", now=NOW)
    assert error.reason is StorageReason.SERVER_ERROR
    assert "secret stack" not in str(error)


def test_each_code_has_one_meaning() -> None:
    codes = [code for words in s3_errors._CODES.values() for code in words.split()]
    assert len(codes) == len(set(codes))


def test_cos_says_access_denied_of_a_signature_whose_time_is_over() -> None:
    assert refusal(403, "AccessDenied", "Request has expired").reason is StorageReason.CLOCK_SKEWED
    assert refusal(403, "AccessDenied", "Access has been denied").reason is StorageReason.ACCESS_DENIED
    assert refusal(403, "OtherCode", "Request has expired").reason is StorageReason.OTHER
