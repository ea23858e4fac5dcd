"""Options that a store does not offer, and parameters that make no sense."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cosbatch.model.manifests import ManifestField, ManifestFormat, ManifestSpec
from cosbatch.model.operations import (
    CannedAcl,
    DeleteObject,
    Directive,
    Grant,
    NewObjectMetadata,
    OperationName,
    Permission,
    PutObjectCopy,
    Tag,
)
from cosbatch.operations.copy import CopyOperation
from cosbatch.operations.registry import OPERATIONS, operation_for
from cosbatch.storage.profiles import PROFILES, CapabilityProfile
from tests.unit.operations.copy_rig import TARGET, job_request, profile_with

READER = Grant(identifier="friend", permission=Permission.READ)
WRITER = Grant(identifier="friend", permission=Permission.WRITE)


def faults_of(
    target: CapabilityProfile, *, source: CapabilityProfile | None = None, **changes: Any
) -> list[tuple[str, str]]:
    request = job_request(replace(PutObjectCopy(target_bucket=TARGET), **changes))
    faults = CopyOperation().check(request, source=source or target, target=target)
    return [(fault.path.removeprefix("Operation.COSPutObjectCopy."), str(fault)) for fault in faults]


@pytest.mark.parametrize("name", list(PROFILES))
def test_a_default_copy_is_possible_everywhere(name: str) -> None:
    assert faults_of(PROFILES[name]) == []


@pytest.mark.parametrize(
    ("profile", "changes", "path", "words"),
    [
        ("minio", {"storage_class": "GLACIER"}, "StorageClass", "it offers REDUCED_REDUNDANCY, STANDARD"),
        ("ceph", {"new_object_metadata": NewObjectMetadata(sse_algorithm="AES256")}, "NewObjectMetadata.SSEAlgorithm",
         "sse-aes256 is not offered by a ceph store"),
        ("minio", {"canned_access_control_list": CannedAcl.PRIVATE}, "CannedAccessControlList",
         "canned-acl is not offered by a minio store"),
        ("minio", {"access_control_grants": (READER,)}, "AccessControlGrants",
         "grants is not offered by a minio store"),
        ("minio", {"access_control_directive": Directive.COPY}, "AccessControlDirective",
         "object-acl is not offered by a minio store"),
        ("s3", {"access_control_grants": (READER, WRITER)}, "AccessControlGrants[1].Permission",
         "READ or FULL_CONTROL"),
        ("s3", {"access_control_directive": Directive.REPLACED}, "AccessControlDirective", "neither"),
        ("s3", {"access_control_directive": Directive.COPY, "access_control_grants": (READER,)}, "AccessControlGrants",
         "use Add or Replaced"),
        ("s3", {"access_control_directive": Directive.ADD, "canned_access_control_list": CannedAcl.PRIVATE},
         "CannedAccessControlList", "use Replaced"),
        ("s3", {"canned_access_control_list": CannedAcl.PRIVATE, "access_control_grants": (READER,)},
         "CannedAccessControlList", "exclude each other"),
        ("s3", {"tagging_directive": Directive.REPLACED,
                "new_object_tagging": tuple(Tag(key=str(n), value="") for n in range(11))},
         "NewObjectTagging", "at most 10"),
        ("s3", {"new_object_tagging": (Tag(key="a", value="1"), Tag(key="", value="1"))}, "NewObjectTagging[1].Key",
         "1 to 128"),
        ("s3", {"new_object_tagging": (Tag(key="k" * 129, value=""),)}, "NewObjectTagging[0].Key", "1 to 128"),
        ("s3", {"new_object_tagging": (Tag(key="k", value="v" * 257),)}, "NewObjectTagging[0].Value", "at most 256"),
        ("s3", {"new_object_tagging": (Tag(key="k&", value=""),)}, "NewObjectTagging[0].Key", "letters, digits"),
        ("s3", {"new_object_tagging": (Tag(key="k", value="a\nb"),)}, "NewObjectTagging[0].Value", "letters, digits"),
        ("s3", {"new_object_tagging": (Tag(key="k", value="1"), Tag(key="k", value="2"))}, "NewObjectTagging",
         "2 tags have this key"),
        *(
            ("s3", {"access_control_grants": (READER, replace(READER, identifier=identifier))},
             "AccessControlGrants[1].Grantee.Identifier", "no quote")
            for identifier in ("", 'x", uri="http://acs.amazonaws.com/groups/global/AllUsers', "a\tb", "a\x7f")
        ),
    ],
)  # fmt: skip
def test_a_fault_names_field_option_and_store(profile: str, changes: dict[str, Any], path: str, words: str) -> None:
    faults = faults_of(PROFILES[profile], **changes)
    assert [where for where, _ in faults] == [path]
    assert words in faults[0][1]


@pytest.mark.parametrize(
    ("refused", "changes"),
    [
        ("storage-class", {"storage_class": "STANDARD_IA"}),
        ("metadata-replace", {"metadata_directive": Directive.ADD}),
        ("tagging-copy", {}),
        ("tagging-replace", {"tagging_directive": Directive.REPLACED}),
        ("source-dates", {"modified_since_constraint": 0}),
        ("source-dates", {"unmodified_since_constraint": 0}),
    ],
)
def test_refused_options(refused: str, changes: dict[str, Any]) -> None:
    faults = faults_of(profile_with(refused=refused), **changes)
    assert [f"{refused} is not offered by a s3 store" in text for _, text in faults] == [True]


def test_tags_of_any_script_and_of_every_mark() -> None:
    tags = (Tag(key="Größe 大小", value="a+b-c_d=e.f:g/h@i 9"), Tag(key="k" * 128, value="v" * 256))
    assert faults_of(PROFILES["s3"], tagging_directive=Directive.REPLACED, new_object_tagging=tags) == []


def test_operators_of_ceph_name_their_own_classes() -> None:
    assert len(faults_of(PROFILES["ceph"], storage_class="COLD")) == 1
    own = replace(PROFILES["ceph"], storage_classes=frozenset({"COLD"}))
    assert faults_of(own, storage_class="COLD") == []


def test_identifiers_of_both_clouds() -> None:
    grants = [
        Grant(identifier=text, permission=Permission.READ)
        for text in ("qcs::cam::uin/100000000001:uin/100000000011", "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d")
    ]
    assert faults_of(PROFILES["cos"], access_control_grants=tuple(grants)) == []


def faults_of_job(target: CapabilityProfile, **changes: Any) -> list[tuple[str, str]]:
    operation = PutObjectCopy(target_bucket=TARGET)
    faults = CopyOperation().check(job_request(operation, **changes), source=target, target=target)
    return [(fault.path, fault.problem) for fault in faults]


def test_parts_that_are_asked_for_have_to_be_offered() -> None:
    lesser = profile_with(refused="part-copy")
    said = ("PartCopyAboveBytes", "part-copy is not offered by a s3 store")
    assert faults_of_job(lesser, part_copy_above_bytes=2**30) == [said]
    assert faults_of_job(lesser) == []
    assert faults_of_job(profile_with(), part_copy_above_bytes=2**30) == []


def test_versions_that_are_asked_for_have_to_be_offered() -> None:
    fields = (ManifestField.BUCKET, ManifestField.KEY, ManifestField.VERSION_ID)
    manifest = job_request(PutObjectCopy(target_bucket=TARGET)).manifest
    manifest = replace(manifest, spec=ManifestSpec(format=ManifestFormat.COS_CSV, fields=fields))
    lesser = profile_with(refused="versions")
    said = ("Manifest.Spec.Fields[2]", "versions is not offered by a s3 store")
    assert faults_of_job(lesser, manifest=manifest) == [said]
    assert faults_of_job(profile_with(), manifest=manifest) == []


def test_a_store_without_tags_copies_none() -> None:
    assert faults_of(profile_with(refused="tagging-copy tagging-replace object-tagging")) == []


def test_emulated_options_need_their_follow_up() -> None:
    canned: dict[str, Any] = {"canned_access_control_list": CannedAcl.PRIVATE}
    assert faults_of(profile_with(emulated="canned-acl"), **canned) == []
    faults = faults_of(profile_with(emulated="canned-acl", refused="object-acl"), **canned)
    assert "object-acl is not offered" in faults[0][1]


def test_what_is_read_has_to_be_offered_by_the_source() -> None:
    faults = faults_of(PROFILES["s3"], source=PROFILES["minio"], access_control_directive=Directive.ADD)
    assert ["a minio store" in text for _, text in faults] == [True]


def test_all_faults_are_found_at_once() -> None:
    faults = faults_of(
        profile_with("ceph", refused="storage-class"),
        storage_class="COLD",
        access_control_grants=(WRITER,),
        new_object_metadata=NewObjectMetadata(sse_algorithm="AES256"),
    )
    assert len(faults) == 3


@pytest.mark.parametrize("name", OperationName)
def test_the_registry_offers_all_that_cos_has(name: OperationName) -> None:
    assert operation_for(name).name is name
    assert OPERATIONS.keys() == set(OperationName)


def test_parameters_of_another_operation_are_a_mistake_of_ours() -> None:
    request = replace(job_request(PutObjectCopy(target_bucket=TARGET)), operation=DeleteObject())
    with pytest.raises(TypeError):
        CopyOperation().check(request, source=PROFILES["s3"], target=PROFILES["s3"])
