"""Merges of metadata, tags and access lists, and how a date is written."""

from __future__ import annotations

import pytest

from cosbatch.model.operations import (
    CannedAcl,
    Directive,
    Grant,
    NewObjectMetadata,
    Permission,
    PutObjectCopy,
    Tag,
)
from cosbatch.operations.copy_options import (
    acl_directive,
    acl_for,
    expires_header,
    merge_metadata,
    merge_tags,
    new_grants,
    new_metadata,
    same_expires,
    shows_grants,
)
from cosbatch.operations.outcome import TaskRefused
from cosbatch.storage.port import AccessControl, AclGrant, ObjectMetadata
from tests.unit.operations.copy_rig import TARGET

OWNER = AclGrant("me", "", "FULL_CONTROL")
EVERYBODY = AclGrant("", "http://acs.amazonaws.com/groups/global/AllUsers", "READ")


def test_added_metadata_win_and_the_rest_stays() -> None:
    source = ObjectMetadata(content_type="text/plain", cache_control="no-cache", user={"a": "1", "b": "2"})
    new = new_metadata(NewObjectMetadata(cache_control="no-store", user_metadata=(("B", "3"), ("c", "4"))))
    assert merge_metadata(source, new) == ObjectMetadata(
        content_type="text/plain", cache_control="no-store", user={"a": "1", "b": "3", "c": "4"}
    )


def test_encryption_is_no_metadata() -> None:
    assert new_metadata(NewObjectMetadata(sse_algorithm="AES256")) == ObjectMetadata(user={})


@pytest.mark.parametrize(
    ("written", "header"),
    [
        ("", ""),
        ("0", "Thu, 01 Jan 1970 00:00:00 GMT"),
        ("2030-01-02T03:04:05Z", "Wed, 02 Jan 2030 03:04:05 GMT"),
        ("2030-01-02T05:04:05+02:00", "Wed, 02 Jan 2030 03:04:05 GMT"),
        ("Wed, 02 Jan 2030 03:04:05 GMT", "Wed, 02 Jan 2030 03:04:05 GMT"),
        ("never", "never"),
    ],
)
def test_expiry_becomes_an_http_date(written: str, header: str) -> None:
    assert expires_header(written) == header


def test_expiry_is_compared_as_a_moment() -> None:
    assert same_expires("Wed, 02 Jan 2030 03:04:05 GMT", "2030-01-02T03:04:05Z")
    assert not same_expires("Wed, 02 Jan 2030 03:04:05 GMT", "")
    assert not same_expires("soon", "later")


def test_added_tags_win_by_key() -> None:
    merged = merge_tags([Tag(key="a", value="1"), Tag(key="b", value="2")], [Tag(key="b", value="3")])
    assert set(merged) == {Tag(key="a", value="1"), Tag(key="b", value="3")}


def test_an_object_has_at_most_ten_tags() -> None:
    ten = [Tag(key=f"k{number}", value="") for number in range(10)]
    assert len(merge_tags(ten, [Tag(key="k3", value="new")])) == 10
    with pytest.raises(TaskRefused) as caught:
        merge_tags(ten, [Tag(key="more", value="")])
    assert caught.value.code == "InvalidTag"


def test_the_targets_owner_stays_and_the_sources_owner_becomes_a_grantee() -> None:
    target = AccessControl(owner_id="me", owner_display_name="", grants=(OWNER, EVERYBODY))
    granted = [AclGrant("them", "", "FULL_CONTROL"), AclGrant("friend", "", "READ")]
    written = acl_for(target, granted)
    assert written.owner_id == "me"
    assert written.grants == (OWNER, *granted)
    assert shows_grants(written, granted)
    assert not shows_grants(target, granted)


def test_groups_are_the_same_in_every_cloud() -> None:
    target = AccessControl(owner_id="me", owner_display_name="", grants=(OWNER, EVERYBODY))
    assert shows_grants(target, [AclGrant("", "http://cam.qcloud.com/groups/global/AllUsers", "READ")])


def test_an_access_list_without_a_directive_replaces() -> None:
    grant = Grant(identifier="friend", permission=Permission.READ)
    assert acl_directive(PutObjectCopy(target_bucket=TARGET)) is None
    assert acl_directive(PutObjectCopy(target_bucket=TARGET, access_control_grants=(grant,))) is Directive.REPLACED
    canned = PutObjectCopy(target_bucket=TARGET, canned_access_control_list=CannedAcl.PUBLIC_READ)
    assert acl_directive(canned) is Directive.REPLACED
    assert new_grants(canned, profile_name="seaweedfs") == (EVERYBODY,)
