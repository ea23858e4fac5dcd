"""The form of a job: the fields of COS's CreateJob in snake_case, and a few of ours. A job file and a REST body are the
same. :func:`parse_job` makes a request of one, or raises every fault at once."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Annotated, Any, Final, NamedTuple

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictBool, StrictInt, StrictStr, ValidationError

from cosbatch.model.errors import Fault, InvalidArgument
from cosbatch.model.identifiers import RegionName, VersionId
from cosbatch.model.jobs import PRIORITY_MAX, JobRequest, Verify
from cosbatch.model.manifests import (
    KeyEncoding,
    Manifest,
    ManifestField,
    ManifestFormat,
    ManifestLocation,
    ManifestSpec,
)
from cosbatch.model.operations import (
    CannedAcl,
    DeleteObject,
    Directive,
    Grant,
    GranteeType,
    InitiateRestoreObject,
    NewObjectMetadata,
    OperationParameters,
    Permission,
    PutObjectCopy,
    PutObjectTagging,
    RestoreTier,
    Tag,
)
from cosbatch.model.reports import ReportFormat, ReportScope, ReportSpec
from cosbatch.service import fields
from cosbatch.service.documents import Document
from cosbatch.service.faults import faults_of
from cosbatch.service.job_rules import faults_against_settings, faults_between_fields

DEFAULT_PRIORITY: Final = 10
TOKEN_MAX_BYTES: Final = 64
WINDOWS_MAX: Final = 20
COUNT_MAX: Final = 10**12
RESTORE_DAYS_MAX: Final = 365
"""COS, ExpirationInDays."""


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FailedRowsForm(_Form):
    """Whose failed tasks a manifest lists that the service has made. It stands in the documents of such jobs alone."""

    job_id: Annotated[StrictStr, fields.at_most_bytes(64)]
    error_code: Annotated[StrictStr, fields.at_most_bytes(1024)] = ""


class LocationForm(_Form):
    object_arn: fields.ObjectArn
    etag: fields.ETag = ""
    object_version_id: Annotated[StrictStr, fields.at_most_bytes(1024)] = ""
    retry_of: Annotated[FailedRowsForm | None, AfterValidator(fields.never_asked_for)] = None


class SpecForm(_Form):
    format: ManifestFormat
    fields: tuple[ManifestField, ...] = ()
    key_encoding: KeyEncoding = KeyEncoding.URL


class ManifestForm(_Form):
    location: LocationForm
    spec: SpecForm


class GranteeForm(_Form):
    identifier: Annotated[fields.HeaderText, Field(min_length=1)]
    type_identifier: GranteeType = GranteeType.ID
    display_name: Annotated[StrictStr, fields.at_most_bytes(256)] = ""


class GrantForm(_Form):
    grantee: GranteeForm
    permission: Permission


class MetadataPairForm(_Form):
    key: fields.MetadataName
    value: fields.HeaderText = ""


class NewObjectMetadataForm(_Form):
    cache_control: fields.HeaderText = ""
    content_disposition: fields.HeaderText = ""
    content_encoding: fields.HeaderText = ""
    content_type: fields.HeaderText = ""
    content_language: fields.HeaderText = ""
    http_expires_date: fields.HeaderText = ""
    sse_algorithm: fields.SseAlgorithm = ""
    user_metadata: tuple[MetadataPairForm, ...] = ()


class TagForm(_Form):
    key: Annotated[StrictStr, Field(min_length=1, max_length=128)]
    value: Annotated[StrictStr, Field(max_length=256)] = ""


class CopyForm(_Form):
    target_resource: fields.BucketArn
    target_region: StrictStr = ""
    access_control_directive: fields.DirectiveWord | None = None
    access_control_grants: Annotated[tuple[GrantForm, ...], Field(max_length=100)] = ()
    canned_access_control_list: CannedAcl | None = None
    prefix_replace: StrictBool = False
    resources_prefix: Annotated[StrictStr, fields.at_most_bytes(1024)] = ""
    target_key_prefix: Annotated[StrictStr, fields.at_most_bytes(1024)] = ""
    modified_since_constraint: fields.UnixSeconds | None = None
    un_modified_since_constraint: fields.UnixSeconds | None = None
    metadata_directive: fields.DirectiveWord | None = None
    new_object_metadata: NewObjectMetadataForm = NewObjectMetadataForm()
    storage_class: fields.StorageClass = ""
    tagging_directive: fields.DirectiveWord | None = None
    new_object_tagging: Annotated[tuple[TagForm, ...], Field(max_length=10)] = ()


class RestoreForm(_Form):
    expiration_in_days: Annotated[StrictInt, fields.between(1, RESTORE_DAYS_MAX, unit="days")]
    job_tier: RestoreTier


class DeleteForm(_Form):
    """Has no fields: that it is there is all it says."""


class TaggingForm(_Form):
    tagging_directive: fields.TaggingWord
    tag_set: Annotated[tuple[TagForm, ...], Field(max_length=10)] = ()


class OperationForm(_Form):
    """One of them is there: :mod:`cosbatch.service.job_rules` sees to it."""

    cos_put_object_copy: CopyForm | None = None
    cos_initiate_restore_object: RestoreForm | None = None
    cos_delete_object: DeleteForm | None = None
    cos_put_object_tagging: TaggingForm | None = None


class ReportForm(_Form):
    enabled: StrictBool = True
    bucket: fields.BucketArn | None = None
    format: ReportFormat = ReportFormat.CSV_V1
    prefix: Annotated[StrictStr, fields.at_most_bytes(256)] = ""
    report_scope: ReportScope = ReportScope.ALL_TASKS


class JobForm(_Form):
    region: Annotated[StrictStr, Field(min_length=1)]
    manifest: ManifestForm
    operation: OperationForm
    report: ReportForm
    priority: Annotated[StrictInt, fields.between(0, PRIORITY_MAX)] = DEFAULT_PRIORITY
    description: Annotated[StrictStr, fields.at_most_bytes(256)] = ""
    confirmation_required: StrictBool = False
    client_request_token: Annotated[fields.HeaderText, fields.at_most_bytes(TOKEN_MAX_BYTES)] = ""
    role_arn: fields.RoleArnText = ""
    failure_threshold: fields.FailureThreshold = 0.5
    verify: Verify = Verify.SAMPLE
    part_copy_above_bytes: fields.PartCopyAbove = 5 * 2**30
    part_size_bytes: fields.PartSize = 256 * 2**20
    windows: Annotated[tuple[fields.WindowText, ...], Field(max_length=WINDOWS_MAX)] = ()
    confirm_delete_count: Annotated[StrictInt, fields.between(1, COUNT_MAX)] | None = None
    dry_run: StrictBool = False


class ParsedJob(NamedTuple):
    request: JobRequest
    client_request_token: str
    """Empty where the document names none."""


def parse_job(document: Document, *, lowest_priority: int = 1, regions: Collection[str] | None = None) -> ParsedJob:
    """The request that a document stands for. ``lowest_priority`` is 0 on the wires, 1 in files that people write.
    With ``regions``, those of the settings, what cannot be done with them is a fault like any other.

    Raises InvalidArgument with all faults; their paths are those of the document.
    """
    content = _without_empty(document.content)
    faults = list(faults_between_fields(content, document=document, lowest_priority=lowest_priority))
    if regions is not None:
        faults += faults_against_settings(content, document=document, regions=regions)
    try:
        form = JobForm.model_validate(content)
    except ValidationError as error:
        faults = [*faults_of(error, model=JobForm, place=document.place), *faults]
    if faults:
        raise InvalidArgument(_headline(faults, source=document.source), faults=faults)
    return ParsedJob(_request(form), form.client_request_token)


def _headline(faults: list[Fault], *, source: str) -> str:
    count = "one fault" if len(faults) == 1 else f"{len(faults)} faults"
    return f"{source or 'the job'} has {count}"


def _without_empty(value: Any) -> Any:
    """Empty fields count as absent, as they do on the wire."""
    if isinstance(value, Mapping):
        return {
            name: _without_empty(field) for name, field in value.items() if field is not None and field not in ("", [])
        }
    if isinstance(value, list):
        return [_without_empty(member) for member in value]
    return value


# --- from the form to the model


def _request(form: JobForm) -> JobRequest:
    region = RegionName(form.region)
    return JobRequest(
        region=region,
        manifest=_manifest(form.manifest),
        operation=_operation(form.operation, region=region),
        report=_report(form.report, region=region),
        priority=form.priority,
        role_arn=form.role_arn,
        description=form.description,
        confirmation_required=form.confirmation_required,
        failure_threshold=form.failure_threshold,
        verify=form.verify,
        part_copy_above_bytes=form.part_copy_above_bytes,
        part_size_bytes=form.part_size_bytes,
        windows=form.windows,
        confirm_delete_count=form.confirm_delete_count,
        dry_run=form.dry_run,
    )


def _manifest(form: ManifestForm) -> Manifest:
    arn = form.location.object_arn
    assert arn.key is not None
    version_id = form.location.object_version_id
    location = ManifestLocation(
        bucket=arn.bucket,
        key=arn.key,
        etag=form.location.etag,
        version_id=VersionId(version_id) if version_id else None,
    )
    spec = ManifestSpec(format=form.spec.format, fields=form.spec.fields, key_encoding=form.spec.key_encoding)
    return Manifest(location=location, spec=spec)


def _elsewhere(named: str | None, *, region: RegionName) -> RegionName | None:
    """None for the job's own region."""
    return RegionName(named) if named and named != region else None


def _operation(form: OperationForm, *, region: RegionName) -> OperationParameters:
    if form.cos_put_object_copy is not None:
        return _copy(form.cos_put_object_copy, region=region)
    if form.cos_initiate_restore_object is not None:
        restore = form.cos_initiate_restore_object
        return InitiateRestoreObject(expiration_in_days=restore.expiration_in_days, job_tier=restore.job_tier)
    if form.cos_put_object_tagging is not None:
        tagging = form.cos_put_object_tagging
        return PutObjectTagging(tagging_directive=tagging.tagging_directive, tag_set=_tags(tagging.tag_set))
    assert form.cos_delete_object is not None
    return DeleteObject()


def _tags(forms: Sequence[TagForm]) -> tuple[Tag, ...]:
    return tuple(Tag(key=form.key, value=form.value) for form in forms)


def _copy(form: CopyForm, *, region: RegionName) -> PutObjectCopy:
    metadata = _new_object_metadata(form.new_object_metadata)
    has_acl = bool(form.access_control_grants or form.canned_access_control_list)
    return PutObjectCopy(
        target_bucket=form.target_resource.bucket,
        target_region=_elsewhere(form.target_region or form.target_resource.region, region=region),
        access_control_directive=form.access_control_directive or (Directive.REPLACED if has_acl else None),
        access_control_grants=tuple(_grant(grant) for grant in form.access_control_grants),
        canned_access_control_list=form.canned_access_control_list,
        prefix_replace=form.prefix_replace,
        resources_prefix=form.resources_prefix,
        target_key_prefix=form.target_key_prefix,
        modified_since_constraint=form.modified_since_constraint,
        unmodified_since_constraint=form.un_modified_since_constraint,
        metadata_directive=_metadata_directive(form.metadata_directive, metadata),
        new_object_metadata=metadata,
        tagging_directive=form.tagging_directive or _implied(bool(form.new_object_tagging)),
        new_object_tagging=_tags(form.new_object_tagging),
        storage_class=form.storage_class,
    )


def _metadata_directive(asked: Directive | None, metadata: NewObjectMetadata) -> Directive:
    """Encryption goes with every directive: where it alone is given, nothing is added to the source's metadata."""
    if asked is Directive.ADD and not metadata.has_metadata():
        return Directive.COPY
    return asked or _implied(metadata.has_metadata())


def _implied(has_new_ones: bool) -> Directive:
    """Without a directive, new metadata or tags replace the source's: S3's rule."""
    return Directive.REPLACED if has_new_ones else Directive.COPY


def _grant(form: GrantForm) -> Grant:
    return Grant(
        identifier=form.grantee.identifier,
        permission=form.permission,
        type_identifier=form.grantee.type_identifier,
        display_name=form.grantee.display_name,
    )


def _new_object_metadata(form: NewObjectMetadataForm) -> NewObjectMetadata:
    return NewObjectMetadata(
        cache_control=form.cache_control,
        content_disposition=form.content_disposition,
        content_encoding=form.content_encoding,
        content_type=form.content_type,
        content_language=form.content_language,
        http_expires_date=form.http_expires_date,
        sse_algorithm=form.sse_algorithm,
        user_metadata=tuple((pair.key, pair.value) for pair in form.user_metadata),
    )


def _report(form: ReportForm, *, region: RegionName) -> ReportSpec:
    if not form.enabled or form.bucket is None:
        return ReportSpec(enabled=False)
    return ReportSpec(
        enabled=True,
        bucket=form.bucket.bucket,
        region=_elsewhere(form.bucket.region, region=region),
        prefix=form.prefix,
        format=form.format,
        scope=form.report_scope,
    )
