"""Every error that crosses a room, in one tree.

::

    CosbatchError
    +-- RequestError            the caller's fault: a wire code, an HTTP status, and all faults found
    |   +-- InvalidArgument     a value that a parameter may not have
    |   +-- NoSuchJob
    |   +-- IllegalMove         a status change that the state table does not allow
    |   +-- TokenReused         a ClientRequestToken that was used before
    |   +-- MalformedDocument   a body that is no document of the kind asked for
    |   +-- NotAuthenticated    nobody knows who calls: a closed list of reasons
    |   +-- NotAllowed          the caller is known, and may not do this
    |   +-- NoSuchName          nothing of that kind has that name in the account
    |   +-- NameTaken           another thing of that kind has that name or number
    |   +-- TooManyAttempts     so many failed logins that the next one has to wait
    |   +-- NoSuchResults       results that are asked for are not there, or not any more
    |   +-- NoSuchRole          no role of this account has that name
    |   +-- TooManyJobs         the account's quota of unfinished jobs is used up
    |   +-- ServiceUnavailable  the service cannot do it now
    +-- StorageError            a store said no, or said nothing: a reason of a closed list
    |   +-- Unanswered          the request may have been applied; only the operation can find out
    +-- ManifestFaulty          the manifest cannot be used: up to 100 located faults
    +-- RoleNotAssumed          a role's provider gives no credentials: a reason of a closed list
    +-- JobFailure              the job as a whole cannot go on: a FailureCode and a reason
    +-- LedgerError
    |   +-- StaleFence          the lease that a commit names is no longer its sender's
    |   +-- LedgerUnavailable   the ledger did not answer; the change may or may not have been made
    +-- SpoolError              the work area refused a read or a write
    |   +-- SpoolMissing        nothing has that name
    |   +-- SpoolDamaged        what is there is not what was put there
    +-- ServiceUnreachable      a service that was called over the network gave no whole answer
    +-- SealBroken              a secret that was sealed at rest does not open
    +-- PostFailed              a webhook's address gave no answer, or nothing may be sent there
    +-- SendingStopped          nothing more may be sent for this task: its lease is over, or its worker stops

A failed task is none of these: it is a value, :class:`cosbatch.model.tasks.Result`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class CosbatchError(Exception):
    """The root of the tree."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing wrong with an input: where it is, what stands there, and the way out."""

    path: str
    """Dotted path of the field, ``Manifest.Spec.Fields[2]``, or ``file:line:column`` in a data file."""
    value: str
    """What stands there, shortened to 200 characters."""
    problem: str
    """What is wrong with it, as a sentence without a full stop."""
    way_out: str = ""
    """What to write instead, as a sentence without a full stop."""

    def __str__(self) -> str:
        shown = f" (it is {self.value!r})" if self.value else ""
        return f"{self.path}: {self.problem}{shown}" + (f"; {self.way_out}" if self.way_out else "")


# --- request errors -----------------------------------------------------------------------------------------------


class RequestError(CosbatchError):
    """The caller's fault. ``code`` is a wire code of COS, ``http_status`` the one that goes with it."""

    code = "InvalidRequest"
    http_status = 400

    def __init__(self, message: str, *, faults: Sequence[Fault] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.faults = tuple(faults)

    def __str__(self) -> str:
        return "\n".join([self.message, *(f"  {fault}" for fault in self.faults)])


class InvalidArgument(RequestError):
    """A parameter has a value that it may not have."""

    code = "InvalidArgument"


class NoSuchJob(RequestError):
    """No job of this account has that id."""

    code = "NoSuchJob"
    http_status = 404


class IllegalMove(RequestError):
    """The state table has no such move from the status that the job has now."""


class TokenReused(RequestError):
    """The ClientRequestToken belongs to an earlier request: one with other content, or any where the wire says so."""


class MalformedDocument(RequestError):
    """The body is not well-formed, or its shape is not that of the call."""

    code = "MalformedXML"


class AuthenticationReason(StrEnum):
    """Why a call was not let in: wire codes of COS. A caller learns no more than that."""

    MISSING = "AccessDenied"
    """Nothing says who calls."""
    REQUEST_EXPIRED = "RequestExpired"
    """The signature's time is over. On COS's wire it is AccessDenied with this message."""
    CLOCK_SKEWED = "RequestTimeTooSkewed"
    UNKNOWN_KEY = "InvalidAccessKeyId"
    TOKEN_EXPIRED = "ExpiredToken"  # noqa: S105  # a wire code
    TOKEN_INVALID = "InvalidToken"  # noqa: S105  # a wire code
    SIGNATURE_WRONG = "SignatureDoesNotMatch"
    MALFORMED = "InvalidArgument"
    """Whoever signed has left out or mixed up a part of the signature."""


class NotAuthenticated(RequestError):
    """Nobody knows who calls."""

    http_status = 403

    def __init__(self, reason: AuthenticationReason, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.code = str(reason)


class NotAllowed(RequestError):
    """The caller is known, and may not do this."""

    code = "AccessDenied"
    http_status = 403


class NoSuchName(RequestError):
    """No account, user, key or token has that name, as far as the caller may know."""

    code = "NoSuchEntity"
    http_status = 404


class NameTaken(RequestError):
    """Another account, user, key or token has that name or number."""

    code = "EntityAlreadyExists"
    http_status = 409


class TooManyAttempts(RequestError):
    """Too many logins of this user, or from this address, have failed."""

    code = "TooManyAttempts"
    http_status = 429

    def __init__(self, message: str, *, retry_after_seconds: float) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class NoSuchResults(RequestError):
    """Of a job that is there: none of its tasks came to that, or what they came to is not kept any more."""

    code = "NoSuchResults"
    http_status = 409


class NoSuchRole(RequestError):
    """No role of this account has that ARN."""

    code = "NoSuchRole"
    http_status = 404


class TooManyJobs(RequestError):
    """The account's quota of unfinished jobs is used up. COS answers 500."""

    code = "TooManyJobs"
    http_status = 500


class ServiceUnavailable(RequestError):
    """The service cannot do it now: its ledger does not answer, or it is stopping. COS answers 500."""

    code = "ServiceUnavailable"
    http_status = 500


# --- storage errors -----------------------------------------------------------------------------------------------


class StorageReason(StrEnum):
    """Why a store did not do what it was asked: the closed list that every adapter maps to."""

    NO_SUCH_KEY = "NoSuchKey"
    NO_SUCH_VERSION = "NoSuchVersion"
    NO_SUCH_BUCKET = "NoSuchBucket"
    NO_SUCH_UPLOAD = "NoSuchUpload"
    DELETE_MARKER = "DeleteMarker"
    """The version named is a delete marker (405, or 400 for a copy)."""
    ACCESS_DENIED = "AccessDenied"
    CREDENTIALS_EXPIRED = "ExpiredToken"
    CREDENTIALS_REFUSED = "InvalidAccessKeyId"
    """The store does not know the key, or the signature is wrong."""
    CLOCK_SKEWED = "RequestTimeTooSkewed"
    PRECONDITION_FAILED = "PreconditionFailed"
    INVALID_OBJECT_STATE = "InvalidObjectState"
    """Archived and not restored."""
    RESTORE_IN_PROGRESS = "RestoreAlreadyInProgress"
    CONFLICT = "Conflict"
    TOO_LARGE = "EntityTooLarge"
    INVALID_REQUEST = "InvalidRequest"
    INVALID_KEY = "InvalidObjectName"
    """The store does not take such a key."""
    NOT_IMPLEMENTED = "NotImplemented"
    WRONG_REGION = "RegionMismatch"
    """301, 307 or AuthorizationHeaderMalformed: the bucket lives elsewhere."""
    QUOTA_EXCEEDED = "QuotaExceeded"
    """The store is full, or a quota of the bucket or the account is used up."""
    SLOW_DOWN = "SlowDown"
    """Throttling that the store names (SlowDown, RequestLimitExceeded ...), or 429. Nothing was done."""
    SERVER_ERROR = "InternalError"
    """500, 502, 504, a 503 without a throttle code, an unknown ``<Error>`` in a success: it may have been done."""
    REFUSED = "ConnectionRefused"
    NAME_NOT_RESOLVED = "NameNotResolved"
    TLS_FAILED = "TLSFailed"
    CONNECT_TIMEOUT = "ConnectTimeout"
    """No connection in time: nothing reached the store."""
    UNANSWERED = "Unanswered"
    """The request, or a part of it, reached the socket and no whole answer came back."""
    MALFORMED_ANSWER = "MalformedAnswer"
    """An answer that is not what the protocol says; whether it was done is not known."""
    BODY_DAMAGED = "BodyDamaged"
    """A body shorter than announced, or with another checksum."""
    OTHER = "Other"
    """A definite refusal with a code that is on no list; the code is kept."""


class StorageError(CosbatchError):
    """A store's refusal of one request, or the lack of an answer.

    ``code`` is the store's own error code where it sent one, else the reason's name; ``http_status`` is 0 where no
    answer came; ``retry_after_seconds`` is what the store asked for.
    """

    def __init__(
        self,
        reason: StorageReason,
        message: str,
        *,
        code: str = "",
        http_status: int = 0,
        target: str = "",
        request_id: str = "",
        retry_after_seconds: float | None = None,
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.code = code or str(reason)
        self.http_status = http_status
        self.target = target
        """What was asked, for people: ``PUT bucket/key``."""
        self.request_id = request_id
        self.retry_after_seconds = retry_after_seconds

    def __str__(self) -> str:
        status = f" ({self.http_status})" if self.http_status else ""
        return f"{self.target or 'request'}: {self.code}{status}: {self.message}"


class Unanswered(StorageError):
    """A writing request of which at least one byte reached the socket, and whose answer did not come whole.

    Never raised for a request that only reads: those are sent again by the storage room itself. A write that was handed
    to the kernel is never sent again there, not even on a reused connection that the store seems to have closed before.
    """

    def __init__(self, message: str, *, target: str = "") -> None:
        super().__init__(StorageReason.UNANSWERED, message, target=target)


# --- roles --------------------------------------------------------------------------------------------------------


class RoleRefusal(StrEnum):
    """Why a role's provider gave no credentials, or made no role."""

    UNKNOWN_ROLE = "UnknownRole"
    """There is no such role. Some providers say NOT_ALLOWED instead, so as not to tell."""
    NOT_ALLOWED = "NotAllowed"
    """The key may not do it: the role's trust policy does not name its owner, or the external id is another one."""
    KEY_REFUSED = "KeyRefused"
    """The provider does not know the key, or the signature is wrong."""
    POLICY_REFUSED = "PolicyRefused"
    """The provider takes no session policy, or not this one."""
    UNAVAILABLE = "Unavailable"
    """No answer, throttled, or an error of the provider's own: it may pass."""
    ALREADY_THERE = "AlreadyThere"
    """A role of that name was made before."""
    UNUSABLE_SECRET = "UnusableSecret"  # noqa: S105  # a word of ours
    """What stands in the registry cannot be opened with the keys of this service."""
    OTHER = "Other"
    """A definite refusal with a code that is on no list; the message has it."""


class RoleNotAssumed(CosbatchError):
    """A role's provider gives no credentials."""

    def __init__(self, reason: RoleRefusal, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message

    @property
    def may_pass(self) -> bool:
        """Whether it is worth another try without anybody's doing."""
        return self.reason is RoleRefusal.UNAVAILABLE


# --- manifest, job, ledger, spool ---------------------------------------------------------------------------------


class ManifestFaulty(CosbatchError):
    """The manifest cannot be used. ``faults`` has the first 100; ``more`` says that there are others."""

    def __init__(self, faults: Sequence[Fault], *, more: bool = False, failure_code: FailureCode | None = None) -> None:
        super().__init__(str(faults[0]) if faults else "the manifest cannot be used")
        self.faults = tuple(faults)
        self.more = more
        self.failure_code = failure_code or FailureCode.MANIFEST_PARSING_ERROR


class FailureCode(StrEnum):
    """Why a job as a whole failed: goes to ``FailureReasons/JobFailure/FailureCode``."""

    MANIFEST_NOT_FOUND = "ManifestNotFound"
    MANIFEST_ETAG_MISMATCH = "ManifestETagMismatch"
    MANIFEST_PARSING_ERROR = "ManifestParsingError"
    MANIFEST_BUCKET_MISMATCH = "ManifestBucketMismatch"
    MANIFEST_EMPTY = "ManifestEmpty"
    ACCESS_DENIED_ON_MANIFEST = "AccessDeniedOnManifest"
    ASSUME_ROLE_FAILED = "AssumeRoleFailed"
    ROLE_LACKS_PERMISSION = "RoleLacksPermission"
    BUCKET_NOT_ALLOWED = "BucketNotAllowed"
    """The role is registered here for other buckets."""
    DELETES_NOT_ALLOWED = "DeletesNotAllowed"
    """Said of a job that is only checked: one is not made then."""
    DELETE_COUNT_EXCEEDED = "DeleteCountExceeded"
    """The manifest names more than the job allows to delete."""
    FIRST_ROWS_NOT_FOUND = "FirstRowsNotFound"
    """None of the objects is there that its first rows name."""
    REGION_MISMATCH = "RegionMismatch"
    UNSUPPORTED_OPTION = "UnsupportedOption"
    OVERLAPPING_PREFIX = "OverlappingPrefix"
    SOURCE_NOT_FOUND = "SourceBucketNotFound"
    TARGET_NOT_FOUND = "TargetBucketNotFound"
    REPORT_BUCKET_NOT_FOUND = "ReportBucketNotFound"
    SUSPENDED_EXPIRED = "SuspendedExpired"
    STORE_UNAVAILABLE = "StoreUnavailable"
    STORE_IGNORED_OPTION = "StoreIgnoredOption"
    FAILURE_THRESHOLD_EXCEEDED = "FailureThresholdExceeded"
    REPORT_DELIVERY_FAILED = "ReportDeliveryFailed"
    SPOOL_FULL = "SpoolFull"
    INTERNAL_ERROR = "InternalError"


class JobFailure(CosbatchError):
    """The job cannot start or go on. ``reason`` is one sentence, at most 256 bytes on the wire."""

    def __init__(self, failure_code: FailureCode, reason: str, *, faults: Sequence[Fault] = ()) -> None:
        super().__init__(f"{failure_code}: {reason}")
        self.failure_code = failure_code
        self.reason = reason
        self.faults = tuple(faults)


class LedgerError(CosbatchError):
    """The ledger could not do what was asked."""


class StaleFence(LedgerError):
    """The lease is no longer its sender's: somebody else may be working on it. Drop the work, keep nothing."""


class LedgerUnavailable(LedgerError):
    """No answer, or busy for too long. The change may or may not have been made: look before repeating it."""


class SpoolError(CosbatchError):
    """The work area refused a read or a write (full, no permission, gone)."""


class SpoolMissing(SpoolError):
    """Nothing in the work area has that name."""


class SpoolDamaged(SpoolError):
    """What the work area has under a name is not what was put there."""


class ServiceUnreachable(CosbatchError):
    """A service that was called over the network gave no whole answer. A change may or may not have been made."""


class SealBroken(CosbatchError):
    """A sealed secret does not open: its key is not known, it was changed, or it was sealed for something else."""


class PostFailed(CosbatchError):
    """A webhook's address gave no answer, or nothing may be sent there; the message says why, for whoever named it."""


class SendingStopped(CosbatchError):
    """Raised before a send, never after one: the lease is over, or the worker was told to stop while it waited."""
