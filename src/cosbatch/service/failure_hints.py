"""What an error code means for whoever has to do something about it: may the tasks be tried again, and what helps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Hint:
    is_retryable: bool
    """Trying the tasks once more can succeed, once what the hint says is done."""
    text: str
    """A sentence; empty where nothing is known of the code."""


def _again(text: str) -> Hint:
    return Hint(is_retryable=True, text=text)


def _never(text: str) -> Hint:
    return Hint(is_retryable=False, text=text)


ACCESS_CODES: Final = frozenset({"AccessDenied", "Forbidden", "UnauthorizedAccess", "AllAccessDisabled"})
"""The store has refused: the job's role or credentials lack a permission."""
UNKNOWN: Final = _again("")
_BUSY: Final = _again("The store was too busy or had a fault of its own: retry these tasks later, or at a lower rate.")
_DENIED: Final = _again("Give the job's role or credentials the missing permission, then retry.")
_OPEN: Final = _again(
    "It is not known whether it was done: look at some of the objects, then retry; what is done already is found out."
)
HINTS: Final[Mapping[str, Hint]] = MappingProxyType(
    {
        **dict.fromkeys(ACCESS_CODES, _DENIED),
        "NoSuchKey": _never("The object was gone when its turn came: make a new manifest."),
        "NoSuchVersion": _never("That version was gone when its turn came: make a new manifest."),
        "NoSuchBucket": _again("Make the bucket, or correct its name or region, then retry."),
        "SlowDown": _BUSY,
        "InternalError": _BUSY,
        "ServiceUnavailable": _BUSY,
        "RequestTimeout": _BUSY,
        "EntityTooLarge": _again("Lower part_copy_above_bytes, so that the object goes in parts."),
        "InvalidObjectState": _again("The object is archived: restore it first, then retry."),
        "RestoreAlreadyInProgress": _never("A restore is under way already: wait for it."),
        "PreconditionFailed": _never("The object does not meet the job's date conditions."),
        "QuotaExceeded": _again("Make room in the bucket, or raise its quota, then retry."),
        "PrefixMismatch": _never("The key does not begin with resources_prefix: correct the job or its manifest."),
        "EmptyKey": _never("The row has no key: correct the manifest."),
        "KeyTooLong": _never("No store takes so long a key: choose a shorter target_key_prefix."),
        "NotLatestVersion": _never(
            "A newer version of the key was copied; this one would have put an old version over it."
        ),
        "OutcomeUnknown": _OPEN,
        "WorkerLost": _OPEN,
        "NotDone": _again("The job ended before it was done: retry it, or clone the job."),
        "StoreIgnoredOption": _again(
            "The store took the request and ignored an option: correct the region's profile, then retry."
        ),
        "NotVerified": _again(
            "It was done and not read back, or tags changed meanwhile: let the role read the target, then retry."
        ),
    }
)


def hint_for(code: str) -> Hint:
    return HINTS.get(code, UNKNOWN)
