"""From the parameters of ``COSPutObjectCopy`` to what an object shall be: metadata, tags, access list, and merges."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import Final

from cosbatch.model.operations import CannedAcl, Directive, Grant, NewObjectMetadata, PutObjectCopy, Tag
from cosbatch.operations.outcome import INVALID_TAG, TaskRefused
from cosbatch.storage.port import AccessControl, AclGrant, ObjectMetadata

MAX_TAGS: Final = 10
"""S3 and COS: PUT Object tagging."""
FULL_CONTROL: Final = "FULL_CONTROL"
ALL_USERS_COS: Final = "http://cam.qcloud.com/groups/global/AllUsers"
ALL_USERS_S3: Final = "http://acs.amazonaws.com/groups/global/AllUsers"

_HEADER_FIELDS: Final = (
    "cache_control",
    "content_disposition",
    "content_encoding",
    "content_language",
    "content_type",
    "expires",
)


# --- metadata -----------------------------------------------------------------------------------------------------


def new_metadata(new: NewObjectMetadata) -> ObjectMetadata:
    """Without encryption, which is no metadata."""
    return ObjectMetadata(
        cache_control=new.cache_control,
        content_disposition=new.content_disposition,
        content_encoding=new.content_encoding,
        content_language=new.content_language,
        content_type=new.content_type,
        expires=expires_header(new.http_expires_date),
        user={name.lower(): value for name, value in new.user_metadata},
    )


def merge_metadata(source: ObjectMetadata, new: ObjectMetadata) -> ObjectMetadata:
    """The source's and the new; where both name the same thing, the new counts."""
    changed = {name: getattr(new, name) for name in _HEADER_FIELDS if getattr(new, name)}
    return replace(source, **changed, user={**(source.user or {}), **(new.user or {})})


def expires_header(text: str) -> str:
    """``HttpExpiresDate`` as the Expires header wants it (RFC 9110, 5.6.7): seconds since 1970 and ISO 8601 become an
    HTTP date, anything else is sent as it stands."""
    moment = _moment(text)
    return text if moment is None else format_datetime(moment.astimezone(UTC), usegmt=True)


def same_expires(one: str, other: str) -> bool:
    """Stores write the same moment in their own way."""
    if one == other:
        return True
    moments = (_moment(one), _moment(other))
    return None not in moments and moments[0] == moments[1]


def _moment(text: str) -> datetime | None:
    if not text:
        return None
    try:
        if text.isascii() and text.isdigit():
            return datetime.fromtimestamp(int(text), UTC)
        moment = datetime.fromisoformat(text) if text[0].isdigit() else parsedate_to_datetime(text)
    except (ValueError, OverflowError, OSError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


# --- tags ---------------------------------------------------------------------------------------------------------


def merge_tags(source: Iterable[Tag], new: Iterable[Tag]) -> tuple[Tag, ...]:
    """As a set by key, the new ones counting. Raises TaskRefused (InvalidTag) where an object cannot have so many."""
    merged = {tag.key: tag for tag in source} | {tag.key: tag for tag in new}
    if len(merged) > MAX_TAGS:
        text = f"The source's tags and the new ones make {len(merged)}, an object has at most {MAX_TAGS}"
        raise TaskRefused(INVALID_TAG, text)
    return tuple(merged.values())


# --- access lists -------------------------------------------------------------------------------------------------


def acl_directive(params: PutObjectCopy) -> Directive | None:
    """A canned list or grants without a directive mean Replaced, as new metadata without a directive does."""
    if params.access_control_directive is None and (params.canned_access_control_list or params.access_control_grants):
        return Directive.REPLACED
    return params.access_control_directive


def new_grants(params: PutObjectCopy, *, profile_name: str) -> tuple[AclGrant, ...]:
    """What the job's own parameters grant, beside what the owner has."""
    grants = [_acl_grant(grant) for grant in params.access_control_grants]
    if params.canned_access_control_list is CannedAcl.PUBLIC_READ:
        group = ALL_USERS_COS if profile_name == "cos" else ALL_USERS_S3
        grants.append(AclGrant("", group, "READ"))
    return tuple(grants)


def _acl_grant(grant: Grant) -> AclGrant:
    return AclGrant(grant.identifier, "", str(grant.permission), grant.display_name)


def acl_for(target: AccessControl, granted: Iterable[AclGrant]) -> AccessControl:
    """The list to write: the target's owner stays its owner and keeps full control, and everything is granted that
    ``granted`` says, also to the owner of the source."""
    owner = AclGrant(target.owner_id, "", FULL_CONTROL, target.owner_display_name)
    merged = {_grant_key(grant): grant for grant in (owner, *granted)}
    return replace(target, grants=tuple(merged.values()))


def shows_grants(target: AccessControl, granted: Iterable[AclGrant]) -> bool:
    """Whether the list grants all of this, its owner's own rights aside, and to no group more than this.

    A store may grant its bucket's owner something of his own; what must not be missed is an object that the world can
    read.
    """
    wanted = _foreign(granted, owner_id=target.owner_id)
    shown = _foreign(target.grants, owner_id=target.owner_id)
    is_all_there = all(grant in shown or (grant[0], FULL_CONTROL) in shown for grant in wanted)
    groups = {_grant_key(grant) for grant in target.grants if grant.uri}
    return is_all_there and groups <= wanted


def _foreign(grants: Iterable[AclGrant], *, owner_id: str) -> set[tuple[str, str]]:
    return {_grant_key(grant) for grant in grants if grant.uri or grant.id != owner_id}


def _grant_key(grant: AclGrant) -> tuple[str, str]:
    """Groups by their last step: the same group has another address in each cloud."""
    return grant.id or grant.uri.rpartition("/")[2], grant.permission
