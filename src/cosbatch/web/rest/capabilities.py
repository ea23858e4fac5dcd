"""What this service can do, for pages and programs that offer only that. All of it comes from the model: whatever is
added there is shown here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache, partial
from typing import Any, Final

from pydantic import Field

from cosbatch.identity.tokens import TokenScope
from cosbatch.model.errors import FailureCode
from cosbatch.model.jobs import PRIORITY_MAX, Verify
from cosbatch.model.manifests import KeyEncoding, ManifestField, ManifestFormat
from cosbatch.model.operations import OperationName
from cosbatch.model.principals import RoleProvider, UserRole
from cosbatch.model.regions import Provider, Region
from cosbatch.model.reports import ReportFormat, ReportScope
from cosbatch.model.states import MOVES, Actor, JobStatus, is_final
from cosbatch.model.tasks import OutcomeCode
from cosbatch.service.job_schema import TOKEN_MAX_BYTES, WINDOWS_MAX, JobForm, OperationForm
from cosbatch.service.service import REASON_MAX_BYTES
from cosbatch.storage.profiles import PROFILES, CapabilityProfile, Option, Support
from cosbatch.web.rest.bodies import BODY_MAX_BYTES, DEPTH_MAX
from cosbatch.web.rest.calls import Access, Call
from cosbatch.web.rest.desks import AllDesks, Desks
from cosbatch.web.rest.errors import ERROR_CODES
from cosbatch.web.rest.job_shapes import JobDocument
from cosbatch.web.rest.shapes import PAGE_DEFAULT, PAGE_MAX, View

TAG: Final = "service"


def capability_calls() -> list[Call]:
    return [
        Call(
            method="GET",
            path="/capabilities",
            answer=get_capabilities,
            access=Access.VIEWER,
            tag=TAG,
            summary="Say what the service can do",
            shape=CapabilitiesView,
            example=_EXAMPLE,
        )
    ]


class ParameterView(View):
    """A field of an operation."""

    name: str = Field(description="Below the operation's field: `new_object_metadata.cache_control`.")
    is_required: bool
    allowed_values: list[str] = Field(description="Empty: no closed list.")
    minimum: int | float | None
    maximum: int | float | None
    max_length: int | None = Field(description="Of texts, in bytes of UTF-8.")
    max_items: int | None


class OperationView(View):
    name: OperationName
    field: str = Field(description="Of `operation` in a job document.")
    parameters: list[ParameterView]


class MoveView(View):
    to: JobStatus
    by: list[Actor]


class StatusView(View):
    """A row of the state table."""

    status: JobStatus
    is_final: bool
    moves: list[MoveView]


class RegionOffer(View):
    """What the store of a region offers to jobs."""

    name: str
    provider: Provider
    storage_classes: list[str] = Field(description="Empty: any.")
    canned_acls: list[str]
    options: dict[Option, Support]


class ProfileView(View):
    """What a region may say that its store is, and what a store does that is one."""

    name: str
    storage_classes: list[str] = Field(description="Empty: any.")
    options: dict[Option, Support] = Field(description="As long as a region's `profile_overrides` say nothing else.")


class LimitsView(View):
    priority_max: int
    description_max_bytes: int
    client_request_token_max_bytes: int
    status_update_reason_max_bytes: int
    windows_max: int
    page_default: int
    page_max: int
    body_max_bytes: int
    body_max_depth: int
    calls_per_minute: int
    logins_per_minute: int


class WordsView(View):
    """Closed lists of words, as they stand in documents and answers."""

    manifest_formats: list[ManifestFormat]
    manifest_fields: list[ManifestField]
    key_encodings: list[KeyEncoding]
    report_formats: list[ReportFormat]
    report_scopes: list[ReportScope]
    verify: list[Verify]
    user_roles: list[UserRole]
    token_scopes: list[TokenScope]
    role_providers: list[RoleProvider]
    failure_codes: list[FailureCode]
    outcome_codes: list[OutcomeCode]


class CallView(View):
    operation_id: str
    method: str
    path: str
    access: Access


class CapabilitiesView(View):
    version: str
    can_pause: bool = Field(description="COS itself cannot pause jobs; this service can.")
    deletes_allowed: bool = Field(description="Else every job that deletes is refused, but for its dry run.")
    operations: list[OperationView]
    regions: list[RegionOffer]
    profiles: list[ProfileView]
    statuses: list[StatusView]
    limits: LimitsView
    words: WordsView
    error_codes: dict[str, str] = Field(description="Code of a refusal -> its status and meaning.")
    calls: list[CallView] = Field(description="Everything that can be called.")
    sample: JobDocument | None = Field(
        description="A job to begin with, where the service has a demo store: `POST /jobs` takes it as it is."
    )


async def get_capabilities(desks: AllDesks) -> CapabilitiesView:
    """Operations and their parameters, what each region's store offers, the state table, limits, words, error codes."""
    await desks.look_again()
    calls = desks.calls()
    return CapabilitiesView(
        version=desks.version,
        can_pause=any(call.operation_id == "pause_job" for call in calls),
        deletes_allowed=desks.deletes_allowed,
        operations=list(_operations()),
        regions=[_offer(desks, region) for _, region in sorted(desks.regions.items())],
        profiles=[_profile(profile) for profile in PROFILES.values()],
        statuses=[_status(status) for status in JobStatus],
        limits=_limits(desks),
        words=_words(),
        error_codes=dict(ERROR_CODES),
        calls=[
            CallView(operation_id=call.operation_id, method=call.method, path=call.shown_path, access=call.access)
            for call in calls
        ],
        sample=None if desks.sample is None else dict(desks.sample),
    )


def _status(status: JobStatus) -> StatusView:
    moves = [MoveView(to=to, by=[actor for actor in Actor if actor in actors]) for to, actors in MOVES[status].items()]
    return StatusView(status=status, is_final=is_final(status), moves=moves)


def _offer(desks: Desks, region: Region) -> RegionOffer:
    profile = desks.profile_of(region)
    return RegionOffer(
        name=region.name,
        provider=region.provider,
        storage_classes=sorted(profile.storage_classes),
        canned_acls=sorted(profile.canned_acls),
        options={option: profile.supports(option) for option in Option},
    )


def _profile(profile: CapabilityProfile) -> ProfileView:
    return ProfileView(
        name=profile.name, storage_classes=sorted(profile.storage_classes), options=dict(profile.support)
    )


@cache
def _description_max_bytes() -> int:
    return int(JobForm.model_json_schema()["properties"]["description"]["maxLength"])


def _limits(desks: Desks) -> LimitsView:
    return LimitsView(
        priority_max=PRIORITY_MAX,
        description_max_bytes=_description_max_bytes(),
        client_request_token_max_bytes=TOKEN_MAX_BYTES,
        status_update_reason_max_bytes=REASON_MAX_BYTES,
        windows_max=WINDOWS_MAX,
        page_default=PAGE_DEFAULT,
        page_max=PAGE_MAX,
        body_max_bytes=BODY_MAX_BYTES,
        body_max_depth=DEPTH_MAX,
        calls_per_minute=desks.rates.calls_per_minute,
        logins_per_minute=desks.rates.logins_per_minute,
    )


def _words() -> WordsView:
    return WordsView(
        manifest_formats=list(ManifestFormat),
        manifest_fields=list(ManifestField),
        key_encodings=list(KeyEncoding),
        report_formats=list(ReportFormat),
        report_scopes=list(ReportScope),
        verify=list(Verify),
        user_roles=list(UserRole),
        token_scopes=list(TokenScope),
        role_providers=list(RoleProvider),
        failure_codes=list(FailureCode),
        outcome_codes=list(OutcomeCode),
    )


# --- operations, from the form of a job


@cache  # of classes, which do not change: their schemas cost more than the rest
def _operations() -> tuple[OperationView, ...]:
    return tuple(_operations_of_the_form())


def _operations_of_the_form() -> Iterator[OperationView]:
    schema = OperationForm.model_json_schema()
    forms: Mapping[str, Any] = schema["$defs"]
    for field, written in schema["properties"].items():
        name = next(name for name in OperationName if name.lower() == field.replace("_", ""))
        form, _ = _form_in(written, forms)
        yield OperationView(name=name, field=field, parameters=list(_parameters(form or {}, forms)))


def _parameters(form: Mapping[str, Any], forms: Mapping[str, Any], *, below: str = "") -> Iterator[ParameterView]:
    """Of a form and of those in it; a list's members stand as ``tag_set[].key``."""
    for name, written in form.get("properties", {}).items():
        inner, is_list = _form_in(written, forms)
        yield _parameter(below + name, written, forms, is_required=name in form.get("required", ()))
        if inner is not None:
            yield from _parameters(inner, forms, below=f"{below}{name}{'[]' if is_list else ''}.")


def _parameter(name: str, written: Mapping[str, Any], forms: Mapping[str, Any], *, is_required: bool) -> ParameterView:
    facts = list(_facts(written, forms))
    first = partial(_first, facts)
    return ParameterView(
        name=name,
        is_required=is_required,
        allowed_values=[str(value) for fact in facts for value in fact.get("enum", ()) if value != ""],
        minimum=first("minimum"),
        maximum=first("maximum"),
        max_length=first("maxLength"),
        max_items=first("maxItems"),
    )


def _first(facts: Sequence[Mapping[str, Any]], name: str) -> Any:
    return next((fact[name] for fact in facts if name in fact), None)


def _facts(written: Mapping[str, Any], forms: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """What the schema says of a value: itself, what it names, and each thing that it may be."""
    yield written
    if "$ref" in written:
        yield from _facts(forms[written["$ref"].rpartition("/")[2]], forms)
    for choice in written.get("anyOf", ()):
        yield from _facts(choice, forms)


def _form_in(written: Mapping[str, Any], forms: Mapping[str, Any]) -> tuple[Mapping[str, Any] | None, bool]:
    """The form that a field has, and whether it is a list of them."""
    for fact in _facts(written, forms):
        if "properties" in fact:
            return fact, False
        if "items" in fact:
            return next((inner for inner in _facts(fact["items"], forms) if "properties" in inner), None), True
    return None, False


_EXAMPLE: Final[dict[str, Any]] = {
    "version": "1.0.0",
    "can_pause": True,
    "deletes_allowed": False,
    "operations": [
        {
            "name": "COSInitiateRestoreObject",
            "field": "cos_initiate_restore_object",
            "parameters": [
                {
                    "name": "job_tier",
                    "is_required": True,
                    "allowed_values": ["Bulk", "Standard"],
                    "minimum": None,
                    "maximum": None,
                    "max_length": None,
                    "max_items": None,
                }
            ],
        }
    ],
    "regions": [
        {
            "name": "ap-guangzhou",
            "provider": "cos",
            "storage_classes": ["ARCHIVE", "STANDARD"],
            "canned_acls": ["private", "public-read"],
            "options": {"restore": "applied"},
        }
    ],
    "profiles": [{"name": "cos", "storage_classes": ["ARCHIVE", "STANDARD"], "options": {"restore": "applied"}}],
    "statuses": [{"status": "Suspended", "is_final": False, "moves": [{"to": "Ready", "by": ["user"]}]}],
    "limits": {
        "priority_max": 2147483647,
        "description_max_bytes": 256,
        "client_request_token_max_bytes": 64,
        "status_update_reason_max_bytes": 256,
        "windows_max": 20,
        "page_default": 50,
        "page_max": 1000,
        "body_max_bytes": 524288,
        "body_max_depth": 32,
        "calls_per_minute": 3000,
        "logins_per_minute": 60,
    },
    "words": {
        "manifest_formats": ["COSInventoryReport_CSV_V1"],
        "manifest_fields": ["Bucket", "Key"],
        "key_encodings": ["url"],
        "report_formats": ["Report_CSV_V1"],
        "report_scopes": ["AllTasks"],
        "verify": ["sample"],
        "user_roles": ["operator"],
        "token_scopes": ["jobs:read"],
        "role_providers": ["tencent-sts"],
        "failure_codes": ["ManifestNotFound"],
        "outcome_codes": ["OutcomeUnknown"],
    },
    "error_codes": {"NoSuchJob": "404: no job of the account has that id."},
    "calls": [{"operation_id": "describe_job", "method": "GET", "path": "/jobs/{job_id}", "access": "viewer"}],
    "sample": None,
}
