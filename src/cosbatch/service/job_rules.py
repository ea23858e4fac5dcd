"""The rules between the fields of a job. They look at what is written, whatever else is wrong with it, so that all
faults are found at once; a field of the wrong kind is left to the form."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, Final

from cosbatch.model.arns import ResourceArn, parse_resource_arn
from cosbatch.model.errors import Fault
from cosbatch.model.manifests import KeyEncoding, ManifestField, ManifestFormat
from cosbatch.model.operations import Directive, TaggingChange
from cosbatch.service import fields
from cosbatch.service.documents import Document, Path, dotted, shorten
from cosbatch.service.faults import nearest

_COPY: Final[Path] = ("operation", "cos_put_object_copy")
_TAGGING: Final[Path] = ("operation", "cos_put_object_tagging")
_OPERATIONS: Final = (
    "cos_put_object_copy",
    "cos_initiate_restore_object",
    "cos_delete_object",
    "cos_put_object_tagging",
)
_METADATA: Final[Path] = (*_COPY, "new_object_metadata")
_INVENTORIES: Final = (ManifestFormat.COS_INVENTORY_CSV, ManifestFormat.S3_INVENTORY_CSV)
_USER_METADATA_MAX_BYTES: Final = 2048
"""Names and values together, in COS and S3."""

Found = Callable[..., Fault]


def unknown_region(path: str, *, region: str, known: Collection[str]) -> Fault:
    way_out = nearest(region, known=known) if known else "add a region to the settings file"
    return Fault(path=path, value=region, problem="is not in the region table", way_out=way_out)


def faults_between_fields(content: Mapping[str, Any], *, document: Document, lowest_priority: int) -> Iterator[Fault]:
    """``content`` is the document without its empty fields."""

    def fault(path: Path, problem: str, way_out: str, *, value: object = "") -> Fault:
        return Fault(path=document.place(path), value=shorten(value), problem=problem, way_out=way_out)

    for rule in _RULES:
        yield from rule(content, fault)
    priority = content.get("priority")
    if isinstance(priority, int) and 0 <= priority < lowest_priority:
        yield fault(("priority",), "is not positive", "write 1 or more; greater runs first", value=priority)


def faults_against_settings(
    content: Mapping[str, Any], *, document: Document, regions: Collection[str]
) -> Iterator[Fault]:
    """What is well-formed and cannot be done with these ``regions``."""
    for path, region in _named_regions(content):
        if region not in regions:
            yield unknown_region(document.place(path), region=region, known=regions)


def _named_regions(content: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
    for path in (("region",), (*_COPY, "target_region")):
        named = _at(content, path)
        if isinstance(named, str):
            yield path, named
    for path in ((*_COPY, "target_resource"), ("report", "bucket")):
        arn = _arn(content, path)
        if arn and arn.region:
            yield path, arn.region


def _at(content: Any, path: Path) -> Any:
    for step in path:
        if not isinstance(content, Mapping):
            return None
        content = content.get(str(step))
    return content


def _mappings(value: Any) -> list[Mapping[str, Any]]:
    return [member for member in value if isinstance(member, Mapping)] if isinstance(value, list) else []


def _arn(content: Mapping[str, Any], path: Path) -> ResourceArn | None:
    text = _at(content, path)
    return parse_resource_arn(text) if isinstance(text, str) else None


# --- manifest and places


def _columns(content: Mapping[str, Any], fault: Found) -> Iterator[Fault]:
    path: Path = ("manifest", "spec", "fields")
    form = _at(content, ("manifest", "spec", "format"))
    columns = _at(content, path)
    if form == ManifestFormat.COS_CSV:
        if columns is None:
            yield fault(path, "is missing", f"a {form} manifest names its columns, [Bucket, Key]")
        elif isinstance(columns, list):
            yield from _column_counts(columns, path, fault)
    elif form in _INVENTORIES and columns:
        yield fault(path, "is given for an inventory report", "leave it out: the report names its own columns")


def _key_encoding(content: Mapping[str, Any], fault: Found) -> Iterator[Fault]:
    path: Path = ("manifest", "spec", "key_encoding")
    encoding = _at(content, path)
    if encoding == KeyEncoding.RAW and _at(content, ("manifest", "spec", "format")) in _INVENTORIES:
        yield fault(
            path,
            "is given for an inventory report",
            "leave it out: the keys of an inventory are always URL-encoded",
            value=encoding,
        )


def _column_counts(columns: Sequence[object], path: Path, fault: Found) -> Iterator[Fault]:
    for name in (ManifestField.BUCKET, ManifestField.KEY):
        if name not in columns:
            yield fault(path, f"has no column {name}", f"say which column holds the {name}")
    for name in (ManifestField.BUCKET, ManifestField.KEY, ManifestField.VERSION_ID):
        if columns.count(name) > 1:
            yield fault(path, f"has the column {name} twice", "write Ignore for the others")


def _manifest_region(content: Mapping[str, Any], fault: Found) -> Iterator[Fault]:
    path: Path = ("manifest", "location", "object_arn")
    arn, region = _arn(content, path), content.get("region")
    if arn and arn.region and isinstance(region, str) and arn.region != region:
        yield fault(
            path, f"names the region {arn.region}, the job runs in {region}", "put the manifest into the job's region"
        )


def _target_region(content: Mapping[str, Any], fault: Found) -> Iterator[Fault]:
    path: Path = (*_COPY, "target_region")
    arn, region = _arn(content, (*_COPY, "target_resource")), _at(content, path)
    if arn and arn.region and isinstance(region, str) and arn.region != region:
        yield fault(path, f"is not the region {arn.region} of target_resource", "leave it out", value=region)


def _report_bucket(content: Mapping[str, Any], fault: Found) -> Iterator[Fault]:
    report = content.get("report")
    if isinstance(report, Mapping) and report.get("enabled", True) is True and "bucket" not in report:
        yield fault(("report", "bucket"), "is missing", "add it, or write enabled: false for no report")


# --- the operation


def _one_operation(content: Mapping[str, Any], fault: Found) -> Iterator[Fault]:
    path: Path = ("operation",)
    operation = content.get("operation")
    if not isinstance(operation, Mapping):
        return
    given = [name for name in _OPERATIONS if name in operation]
    if not given and not operation.keys() - set(_OPERATIONS):
        way_out = f"add one of {', '.join(_OPERATIONS)}; cos_delete_object: {{}} has no fields"
        yield fault(path, "names no operation", way_out)
    for name in given[1:]:
        yield fault((*path, name), f"is given beside {given[0]}", "keep one: a job does one thing to each object")


def _delete_count(content: Mapping[str, Any], fault: Found) -> Iterator[Fault]:
    path: Path = ("confirm_delete_count",)
    operation = content.get("operation")
    is_deletion = isinstance(operation, Mapping) and "cos_delete_object" in operation
    if path[0] in content and not is_deletion:
        yield fault(path, "is given for a job that deletes nothing", "leave it out", value=content[str(path[0])])


def _tag_set(content: Mapping[str, Any], fault: Found) -> Iterator[Fault]:
    path: Path = (*_TAGGING, "tag_set")
    change = _tagging_change(_at(content, (*_TAGGING, "tagging_directive")))
    tags = _at(content, path)
    if change in (TaggingChange.REPLACED, TaggingChange.ADD) and not tags:
        way_out = "add the tags; tagging_directive Delete without a tag_set takes all tags away"
        yield fault(path, f"is missing, tagging_directive {change} needs it", way_out)
    members = _mappings(tags)
    for number, tag in enumerate(members if change is TaggingChange.DELETE else ()):
        if "value" in tag:
            problem = "is given with tagging_directive Delete, which goes by the key"
            yield fault((*path, number, "value"), problem, "leave it out", value=tag["value"])
    for name in _repeated([str(tag["key"]) for tag in members if "key" in tag]):
        yield fault(path, f"names {name} twice", "keep one of them")


def _tagging_change(value: object) -> TaggingChange | None:
    try:
        return fields.tagging_change(value)
    except ValueError:
        return None


# --- the copy


def _prefixes(content: Mapping[str, Any], fault: Found) -> Iterator[Fault]:
    copy = _at(content, _COPY)
    if not isinstance(copy, Mapping) or copy.get("prefix_replace", False) is not False:
        return
    for name in ("resources_prefix", "target_key_prefix"):
        if name in copy:
            yield fault((*_COPY, name), "is given without prefix_replace", "add prefix_replace: true", value=copy[name])


def _dates(content: Mapping[str, Any], fault: Found) -> Iterator[Fault]:
    after, before = (
        _seconds(_at(content, (*_COPY, f"{which}_since_constraint"))) for which in ("modified", "un_modified")
    )
    if after is not None and before is not None and after >= before:
        yield fault(
            (*_COPY, "modified_since_constraint"),
            "is not before un_modified_since_constraint, so no object can pass",
            "exchange them" if after > before else "make it earlier, or leave one of the two out",
        )


def _seconds(value: object) -> int | None:
    try:
        return fields.unix_seconds(value)
    except ValueError:
        return None


def _metadata(content: Mapping[str, Any], fault: Found) -> Iterator[Fault]:
    directive = _directive(_at(content, (*_COPY, "metadata_directive")))
    metadata = _at(content, _METADATA)
    given = [name for name in metadata if name != "sse_algorithm"] if isinstance(metadata, Mapping) else []
    if directive is Directive.COPY:
        for name in given:
            yield fault(
                (*_METADATA, name),
                "is given with metadata_directive Copy",
                "write Replaced or Add, or leave the field out",
            )
    if directive is Directive.ADD and not metadata:
        yield fault(_METADATA, "names nothing to add", "add a field, or leave metadata_directive out")


def _user_metadata(content: Mapping[str, Any], fault: Found) -> Iterator[Fault]:
    path: Path = (*_METADATA, "user_metadata")
    pairs = _mappings(_at(content, path))
    names = [fields.bare_metadata_name(str(pair.get("key", ""))) for pair in pairs]
    for name in _repeated(names):
        yield fault(path, f"names {name} twice", "keep one of them (the x-*-meta- prefix does not count)")
    size = sum(
        _size_bytes(name) + _size_bytes(str(pair.get("value", ""))) for name, pair in zip(names, pairs, strict=True)
    )
    if size > _USER_METADATA_MAX_BYTES:
        yield fault(path, f"is {size} bytes long, {_USER_METADATA_MAX_BYTES} are allowed", "make it shorter")


def _size_bytes(text: str) -> int:
    """Also of text that is not Unicode: the form refuses it."""
    return len(text.encode("utf-8", "surrogatepass"))


def _tags(content: Mapping[str, Any], fault: Found) -> Iterator[Fault]:
    path: Path = (*_COPY, "new_object_tagging")
    directive = _directive(_at(content, (*_COPY, "tagging_directive")))
    tags = _at(content, path)
    if directive is Directive.COPY and tags:
        yield fault(path, "is given with tagging_directive Copy", "write Replaced or Add, or leave the tags out")
    if directive in (Directive.REPLACED, Directive.ADD) and not tags:
        yield fault(path, f"is missing, tagging_directive {directive} needs it", "add the tags")
    for name in _repeated([str(tag["key"]) for tag in _mappings(tags) if "key" in tag]):
        yield fault(path, f"names {name} twice", "keep one of them")


def _access(content: Mapping[str, Any], fault: Found) -> Iterator[Fault]:
    directive = _directive(_at(content, (*_COPY, "access_control_directive")))
    canned: Path = (*_COPY, "canned_access_control_list")
    grants: Path = (*_COPY, "access_control_grants")
    given = [path for path in (canned, grants) if _at(content, path)]
    if len(given) == 2:
        yield fault(canned, "is given beside access_control_grants", "keep one of the two: a store takes only one")
    if directive is Directive.COPY:
        for path in given:
            yield fault(path, "is given with access_control_directive Copy", "write Replaced or Add, or leave it out")
    if directive is Directive.REPLACED and not given:
        yield fault(
            (*_COPY, "access_control_directive"),
            "is Replaced, but nothing says by what",
            "add canned_access_control_list or access_control_grants",
        )
    if directive is Directive.ADD and grants not in given:
        yield fault(grants, "is missing, access_control_directive Add needs it", "add the grants")
    elif directive is Directive.ADD and canned in given:
        yield fault(canned, f"cannot be added to an access list, {dotted(grants)} can", "leave it out")


def _directive(value: object) -> Directive | None:
    try:
        return fields.directive(value)
    except ValueError:
        return None


def _repeated(names: Sequence[str]) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]


_RULES: Final = (
    _columns,
    _key_encoding,
    _manifest_region,
    _target_region,
    _report_bucket,
    _one_operation,
    _delete_count,
    _tag_set,
    _prefixes,
    _dates,
    _metadata,
    _user_metadata,
    _tags,
    _access,
)
