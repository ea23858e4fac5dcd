"""Calls about regions, and looks into their stores: buckets, objects, manifests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cosbatch.client.calls import ApiCall, asking, content_of, looking, path_of, removing
from cosbatch.client.paging import Page, pages_of
from cosbatch.client.region_shapes import (
    BucketFound,
    ManifestChecked,
    ManifestLook,
    ObjectPage,
    Region,
    RegionFields,
    RegionTried,
)
from cosbatch.client.shape_reader import record
from cosbatch.model.manifests import KeyEncoding, ManifestField, ManifestFormat


def list_regions(*, limit: int = 50, cursor: str = "") -> ApiCall[Page[Region]]:
    """Those that jobs may name."""
    return looking("/regions", pages_of(Region), limit=limit, cursor=cursor)


def create_region(name: str, fields: RegionFields) -> ApiCall[Region]:
    """Beside those of the settings. It has no credentials of its own: jobs in it bring a role."""
    return asking("POST", "/regions", {"name": name, **fields}, record(Region))


def describe_region(region: str) -> ApiCall[Region]:
    return looking(path_of("/regions", region), record(Region))


def update_region(region: str, fields: RegionFields) -> ApiCall[Region]:
    """Of one that was made here: what is left out stays as it is, None gives a field its default again."""
    return asking("PATCH", path_of("/regions", region), dict(fields), record(Region), may_repeat=True)


def delete_region(region: str) -> ApiCall[None]:
    """Of one that was made here. Not while an unfinished job or a role names it."""
    return removing(path_of("/regions", region))


def test_region(region: str) -> ApiCall[RegionTried]:
    """Whether its store answers, and what it makes of the region's credentials."""
    return asking("POST", path_of("/regions", region) + ":test", None, record(RegionTried), may_repeat=True)


# --- browsing


def list_buckets(region: str, *, role_arn: str = "", limit: int = 50, cursor: str = "") -> ApiCall[Page[BucketFound]]:
    """``role_arn``: what to look with. Admins may do without: then the region's own credentials."""
    return looking("/buckets", pages_of(BucketFound), region=region, role_arn=role_arn, limit=limit, cursor=cursor)


def list_objects(
    region: str,
    bucket: str,
    *,
    prefix: str = "",
    delimiter: str = "",
    role_arn: str = "",
    limit: int = 50,
    cursor: str = "",
) -> ApiCall[ObjectPage]:
    """``delimiter``, usually ``/``: keys that have it after the prefix come as ``folders``."""
    return looking(
        "/objects",
        record(ObjectPage),
        region=region,
        bucket=bucket,
        prefix=prefix,
        delimiter=delimiter,
        role_arn=role_arn,
        limit=limit,
        cursor=cursor,
    )


def inspect_manifest(
    region: str,
    object_arn: str,
    *,
    etag: str = "",
    object_version_id: str = "",
    format: ManifestFormat | None = None,  # noqa: A002  # as the document has it
    fields: Sequence[ManifestField] = (),
    key_encoding: KeyEncoding | None = None,
    role_arn: str = "",
) -> ApiCall[ManifestLook]:
    """What the beginning of a manifest looks like. What is not given of its form is guessed."""
    content = _look(region, object_arn, etag, object_version_id, format, fields, key_encoding, role_arn)
    return asking("POST", "/manifests:inspect", content, record(ManifestLook), may_repeat=True)


def check_manifest(
    region: str,
    object_arn: str,
    *,
    etag: str = "",
    object_version_id: str = "",
    format: ManifestFormat | None = None,  # noqa: A002  # as the document has it
    fields: Sequence[ManifestField] = (),
    key_encoding: KeyEncoding | None = None,
    role_arn: str = "",
) -> ApiCall[ManifestChecked]:
    """All rows of a manifest, as far as a service reads them before a job is made. With an ``etag`` that it has not any
    more it is refused."""
    content = _look(region, object_arn, etag, object_version_id, format, fields, key_encoding, role_arn)
    return asking("POST", "/manifests:check", content, record(ManifestChecked), may_repeat=True)


def _look(
    region: str,
    object_arn: str,
    etag: str,
    object_version_id: str,
    form: ManifestFormat | None,
    fields: Sequence[ManifestField],
    key_encoding: KeyEncoding | None,
    role_arn: str,
) -> dict[str, Any]:
    spec = content_of(
        format=None if form is None else str(form),
        fields=[str(one) for one in fields],
        key_encoding=None if key_encoding is None else str(key_encoding),
    )
    location = {"object_arn": object_arn, "etag": etag, "object_version_id": object_version_id}
    return {"region": region, "manifest": {"location": location, "spec": spec}, "role_arn": role_arn}
