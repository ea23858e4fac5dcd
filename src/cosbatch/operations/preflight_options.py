"""What the job asks of its stores beyond a plain request, held against their profiles: applied, emulated at a price, or
refused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from cosbatch.model.errors import FailureCode, Fault
from cosbatch.model.jobs import JobRequest, operation_name_of
from cosbatch.model.manifests import ManifestField
from cosbatch.model.operations import Directive, InitiateRestoreObject, PutObjectCopy, PutObjectTagging
from cosbatch.model.preflight import CheckName, option_check
from cosbatch.operations.checks import Checks
from cosbatch.operations.copy_costs import copy_requests
from cosbatch.operations.copy_options import acl_directive
from cosbatch.operations.copy_plan import MERGING, plan_of
from cosbatch.operations.port import JobFacts
from cosbatch.operations.registry import operation_for
from cosbatch.storage.profiles import Option, Support

_OF_FIELD: Final = {
    "Operation.COSPutObjectCopy.StorageClass": CheckName.STORAGE_CLASS,
    "Operation.COSPutObjectCopy.NewObjectMetadata.SSEAlgorithm": CheckName.ENCRYPTION,
}
_OF_OPTION: Final = {Option.STORAGE_CLASS: CheckName.STORAGE_CLASS, Option.SSE_AES256: CheckName.ENCRYPTION}


def check_options(facts: JobFacts, checks: Checks) -> None:
    """Each fault of the parameters, and then each option that the job uses and that no fault speaks of."""
    request = facts.request
    faults = operation_for(operation_name_of(request.operation)).check(
        request, source=facts.source_profile, target=facts.target_profile
    )
    refused = set()
    for fault in faults:
        name = _check_of(fault)
        refused.add(name)
        checks.failed(name, FailureCode.UNSUPPORTED_OPTION, fault)
    for option in dict.fromkeys(_options_of(request)):
        name = _OF_OPTION.get(option) or option_check(option)
        if name not in refused:
            checks.passed(name, _said_of(option, facts))


def _check_of(fault: Fault) -> str:
    """A fault names the option that is not offered; of the others the field tells."""
    if fault.path in _OF_FIELD:
        return _OF_FIELD[fault.path]
    named = next((option for option in Option if fault.problem.startswith(f"{option} is not offered")), None)
    return option_check(named) if named else CheckName.OPTIONS


def _said_of(option: Option, facts: JobFacts) -> str:
    profile = facts.target_profile
    wanted = _value_of(option, facts.request)
    asked = f"{option} {wanted}" if wanted else str(option)
    match profile.supports(option):
        case Support.APPLIED:
            return f"{asked}: a {profile.name} store does it when asked"
        case Support.EMULATED:
            return f"{asked}: a {profile.name} store does not do it by itself; {_price(option, facts)}"
        case Support.REFUSED:
            return f"{asked}: a {profile.name} store does not have it, and this job does without"


def _value_of(option: Option, request: JobRequest) -> str:
    copy = request.operation
    if not isinstance(copy, PutObjectCopy):
        return ""
    if option is Option.STORAGE_CLASS:
        return copy.storage_class
    return copy.new_object_metadata.sse_algorithm if option is Option.SSE_AES256 else ""


def _price(option: Option, facts: JobFacts) -> str:
    """What the emulation costs: the requests for each object that the job would not need if the store did it."""
    if not isinstance(facts.request.operation, PutObjectCopy):
        return "other requests stand in for it"
    kinds = copy_requests(plan_of(facts))
    applied = facts.target_profile.with_overrides({option: Support.APPLIED})
    without = copy_requests(plan_of(replace(facts, target_profile=applied)))
    more = [kind for kind in kinds if kind not in without]
    if not more:
        return "that costs no further request for this job"
    count = f"{len(more)} more request" + ("s" if len(more) > 1 else "")
    return f"it is emulated at the cost of {count} for each object: {', '.join(more)}"


def _options_of(request: JobRequest) -> Iterator[Option]:
    if ManifestField.VERSION_ID in request.manifest.spec.fields:
        yield Option.VERSIONS
    match request.operation:
        case PutObjectCopy() as copy:
            yield from _of_copy(copy, request)
        case InitiateRestoreObject():
            yield Option.RESTORE
        case PutObjectTagging():
            yield Option.OBJECT_TAGGING
        case _:
            return


def _of_copy(copy: PutObjectCopy, request: JobRequest) -> Iterator[Option]:
    wanted = {
        Option.STORAGE_CLASS: bool(copy.storage_class),
        Option.SSE_AES256: bool(copy.new_object_metadata.sse_algorithm),
        Option.METADATA_REPLACE: copy.metadata_directive is not Directive.COPY,
        Option.TAGGING_COPY: copy.tagging_directive is Directive.COPY,
        Option.TAGGING_REPLACE: copy.tagging_directive is not Directive.COPY,
        Option.CANNED_ACL: copy.canned_access_control_list is not None,
        Option.GRANTS: bool(copy.access_control_grants),
        Option.OBJECT_ACL: acl_directive(copy) in MERGING,
        Option.SOURCE_DATES: (copy.modified_since_constraint, copy.unmodified_since_constraint) != (None, None),
        Option.PART_COPY: request.part_copy_above_bytes < _LARGEST_COPY_BYTES,
    }
    yield from (option for option, is_wanted in wanted.items() if is_wanted)


_LARGEST_COPY_BYTES: Final = 5 * 2**30
"""Above it every copy goes in parts, asked for or not."""
