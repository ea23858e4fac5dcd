"""What is wrong with a copy's parameters, or beyond its stores: found before the first object is touched."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from unicodedata import category

from cosbatch.model.errors import Fault
from cosbatch.model.jobs import JobRequest
from cosbatch.model.operations import Directive, Permission, PutObjectCopy
from cosbatch.operations.copy_options import MAX_TAGS, acl_directive
from cosbatch.operations.copy_plan import MERGING
from cosbatch.operations.shared_checks import check_tag_texts, check_version_column
from cosbatch.storage.profiles import CapabilityProfile, Option, Support

ROOT: Final = "Operation.COSPutObjectCopy"


def check_copy(
    request: JobRequest, params: PutObjectCopy, *, source: CapabilityProfile, target: CapabilityProfile
) -> list[Fault]:
    """All faults, each with the option and the store that does not offer it."""
    return [
        *check_version_column(request, source),
        *_check_parts(request, params, target),
        *_check_class(params, target),
        *_check_encryption(params, target),
        *_check_metadata(params, target),
        *_check_tags(params, source, target),
        *check_tag_texts(params.new_object_tagging, path=f"{ROOT}.NewObjectTagging"),
        *_check_acl(params, source, target),
        *_check_grants(params),
        *_check_dates(params, target),
    ]


def _not_offered(
    profile: CapabilityProfile, option: Option, *, field: str, value: str, way_out: str = ""
) -> Iterator[Fault]:
    if profile.supports(option) is Support.REFUSED:
        yield _fault(field, value, f"{option} is not offered by a {profile.name} store", way_out)


def _fault(field: str, value: str, problem: str, way_out: str = "") -> Fault:
    return Fault(path=f"{ROOT}.{field}", value=value[:200], problem=problem, way_out=way_out)


def _check_parts(request: JobRequest, params: PutObjectCopy, target: CapabilityProfile) -> Iterator[Fault]:
    """Asked for by a lower limit than the store's own. What is too large for one copy is seen when its turn comes."""
    is_near = params.target_region in (None, request.region)
    is_offered = target.supports(Option.PART_COPY) is Support.APPLIED
    if is_near and request.part_copy_above_bytes < target.copy_limit_bytes and not is_offered:
        yield Fault(
            path="PartCopyAboveBytes",
            value=str(request.part_copy_above_bytes),
            problem=f"{Option.PART_COPY} is not offered by a {target.name} store",
            way_out="leave it out",
        )


def _check_class(params: PutObjectCopy, target: CapabilityProfile) -> Iterator[Fault]:
    wanted = params.storage_class
    if not wanted:
        return
    if target.supports(Option.STORAGE_CLASS) is not Support.APPLIED:
        problem = f"{Option.STORAGE_CLASS} is not offered by a {target.name} store"
        yield _fault("StorageClass", wanted, problem, "leave it out")
    elif target.storage_classes and wanted not in target.storage_classes:
        offered = ", ".join(sorted(target.storage_classes))
        yield _fault("StorageClass", wanted, f"a {target.name} store has no such class", f"it offers {offered}")


def _check_encryption(params: PutObjectCopy, target: CapabilityProfile) -> Iterator[Fault]:
    wanted = params.new_object_metadata.sse_algorithm
    if wanted and target.supports(Option.SSE_AES256) is not Support.APPLIED:
        problem = f"{Option.SSE_AES256} is not offered by a {target.name} store"
        yield _fault("NewObjectMetadata.SSEAlgorithm", wanted, problem, "leave it out")


def _check_metadata(params: PutObjectCopy, target: CapabilityProfile) -> Iterator[Fault]:
    directive = params.metadata_directive
    if directive is not Directive.COPY and target.supports(Option.METADATA_REPLACE) is not Support.APPLIED:
        problem = f"{Option.METADATA_REPLACE} is not offered by a {target.name} store"
        yield _fault("MetadataDirective", directive, problem, "use Copy")


def _check_tags(params: PutObjectCopy, source: CapabilityProfile, target: CapabilityProfile) -> Iterator[Fault]:
    directive, count = params.tagging_directive, len(params.new_object_tagging)
    if count > MAX_TAGS:
        yield _fault("NewObjectTagging", str(count), f"an object has at most {MAX_TAGS} tags")
    if directive is Directive.COPY:
        if target.supports(Option.OBJECT_TAGGING) is not Support.REFUSED:
            yield from _not_offered(target, Option.TAGGING_COPY, field="TaggingDirective", value=directive)
        return
    for option in (Option.TAGGING_REPLACE, Option.OBJECT_TAGGING):
        yield from _not_offered(target, option, field="TaggingDirective", value=directive, way_out="use Copy")
    if directive is Directive.ADD:
        yield from _not_offered(source, Option.OBJECT_TAGGING, field="TaggingDirective", value=directive)


def _check_acl(params: PutObjectCopy, source: CapabilityProfile, target: CapabilityProfile) -> Iterator[Fault]:
    directive = acl_directive(params)
    if directive in MERGING:
        for profile in dict.fromkeys((source.name, target.name)):
            asked = source if profile == source.name else target
            yield from _not_offered(
                asked,
                Option.OBJECT_ACL,
                field="AccessControlDirective",
                value=str(directive),
                way_out="leave it out: the copies inherit the bucket's permission",
            )
    canned, grants = params.canned_access_control_list, params.access_control_grants
    if directive is Directive.REPLACED and not canned and not grants:
        problem = "it names neither a canned list nor grants"
        yield _fault("AccessControlDirective", str(directive), problem, "name one, or leave the directive out")
    if canned:
        yield from _check_canned(params, target, directive=directive)
    if grants:
        yield from _check_put(target, Option.GRANTS, field="AccessControlGrants", value=str(len(grants)))
        if directive is Directive.COPY:
            problem = "with Copy nothing is added to the source's list"
            yield _fault("AccessControlGrants", str(len(grants)), problem, "use Add or Replaced")


def _check_canned(params: PutObjectCopy, target: CapabilityProfile, *, directive: Directive | None) -> Iterator[Fault]:
    canned, field = str(params.canned_access_control_list), "CannedAccessControlList"
    yield from _check_put(target, Option.CANNED_ACL, field=field, value=canned)
    if canned not in target.canned_acls:
        offered = ", ".join(sorted(target.canned_acls))
        yield _fault(field, canned, f"a {target.name} store has no such list", f"it offers {offered}")
    if params.access_control_grants:
        yield _fault(field, canned, "a canned list and grants exclude each other", "give one of them")
    if directive in MERGING:
        problem = f"a canned list says nothing beside the source's list, which {directive} takes along"
        yield _fault(field, canned, problem, "use Replaced, or grants with Add")


def _check_put(target: CapabilityProfile, option: Option, *, field: str, value: str) -> Iterator[Fault]:
    """Emulating it needs access lists that can be written."""
    if target.supports(option) is Support.EMULATED:
        yield from _not_offered(target, Option.OBJECT_ACL, field=field, value=value, way_out="leave it out")
    yield from _not_offered(target, option, field=field, value=value, way_out="leave it out")


def _check_grants(params: PutObjectCopy) -> Iterator[Fault]:
    for number, grant in enumerate(params.access_control_grants):
        if grant.permission is Permission.WRITE:
            field = f"AccessControlGrants[{number}].Permission"
            yield _fault(field, grant.permission, "it has no meaning for an object", "use READ or FULL_CONTROL")
        if not grant.identifier or any(map(_ends_an_identifier, grant.identifier)):
            field = f"AccessControlGrants[{number}].Grantee.Identifier"
            yield _fault(field, grant.identifier, "an identifier is not empty and has no quote or control character")


def _ends_an_identifier(character: str) -> bool:
    """It stands in quotes in a header."""
    return character == '"' or category(character) == "Cc"


def _check_dates(params: PutObjectCopy, target: CapabilityProfile) -> Iterator[Fault]:
    constraints = {
        "ModifiedSinceConstraint": params.modified_since_constraint,
        "UnModifiedSinceConstraint": params.unmodified_since_constraint,
    }
    for field, value in constraints.items():
        if value is not None:
            yield from _not_offered(target, Option.SOURCE_DATES, field=field, value=str(value))
