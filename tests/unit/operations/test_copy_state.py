"""Comparing objects: what sizes, ETags and headers tell, and what they do not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cosbatch.model.operations import Directive, NewObjectMetadata, PutObjectCopy
from cosbatch.operations.copy_plan import CopyPlan, plan_of
from cosbatch.operations.copy_state import missing_options, same_content, same_metadata
from cosbatch.storage.port import ObjectMeta, ObjectMetadata
from tests.unit.operations.copy_rig import TARGET, CopyRig

PLAIN = ObjectMeta(etag="a" * 32, size_bytes=3, last_modified=1.0, metadata=ObjectMetadata())


@pytest.mark.parametrize(
    ("seen", "is_same"),
    [
        (PLAIN, True),
        (replace(PLAIN, size_bytes=4), False),
        (replace(PLAIN, etag="b" * 32), False),
        (replace(PLAIN, etag="b" * 32 + "-3"), True),
        (replace(PLAIN, etag="b" * 32 + "-3", size_bytes=4), False),
        (replace(PLAIN, etag="b" * 32, sse_algorithm="aws:kms"), True),
    ],
    ids=["equal", "size", "etag", "in parts", "in parts, size", "encrypted"],
)
def test_content(seen: ObjectMeta, is_same: bool) -> None:
    assert same_content(PLAIN, seen) is is_same
    assert same_content(seen, PLAIN) is is_same


@pytest.mark.parametrize(
    ("wanted", "seen", "is_same"),
    [
        (ObjectMetadata(), ObjectMetadata(content_type="binary/octet-stream", user={}), True),
        (ObjectMetadata(content_type="text/plain"), ObjectMetadata(content_type="binary/octet-stream"), False),
        (ObjectMetadata(user={"Colour": "red"}), ObjectMetadata(user={"colour": "red"}), True),
        (ObjectMetadata(user={"colour": "red"}), ObjectMetadata(user={"colour": "red", "more": ""}), False),
        (ObjectMetadata(cache_control="no-store"), ObjectMetadata(), False),
        (
            ObjectMetadata(expires="Wed, 02 Jan 2030 03:04:05 GMT"),
            ObjectMetadata(expires="2030-01-02T03:04:05Z"),
            True,
        ),
    ],
)
def test_metadata(wanted: ObjectMetadata, seen: ObjectMetadata, is_same: bool) -> None:
    assert same_metadata(wanted, seen) is is_same


def plan_with(params: PutObjectCopy) -> CopyPlan:
    return plan_of(CopyRig(params).facts)


def test_standard_is_what_a_store_does_not_name() -> None:
    plan = plan_with(PutObjectCopy(target_bucket=TARGET, storage_class="STANDARD"))
    assert missing_options(plan, source=PLAIN, seen=PLAIN) == ()
    assert missing_options(plan, source=PLAIN, seen=replace(PLAIN, storage_class="GLACIER")) == ("storage-class",)


def test_without_the_source_added_metadata_have_to_be_there() -> None:
    new = NewObjectMetadata(user_metadata=(("colour", "red"),))
    params = PutObjectCopy(target_bucket=TARGET, metadata_directive=Directive.ADD, new_object_metadata=new)
    seen = replace(PLAIN, metadata=ObjectMetadata(user={"colour": "red", "shape": "round"}))
    assert missing_options(plan_with(params), source=None, seen=seen) == ()
    assert missing_options(plan_with(params), source=None, seen=PLAIN) == ("metadata-replace",)
