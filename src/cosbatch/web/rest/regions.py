"""The region table: what jobs may name, and where the operator says that it is."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import Body, Path, Response
from pydantic import Field

from cosbatch.model.principals import UserRole
from cosbatch.model.regions import Addressing, Provider
from cosbatch.service.browsing import KeyFound
from cosbatch.service.regions import KnownRegion
from cosbatch.web.rest.calls import PREFIX, Access, Call
from cosbatch.web.rest.desks import AllDesks, WhoCalls
from cosbatch.web.rest.operator import acting, page_of
from cosbatch.web.rest.shapes import (
    PAGE_DEFAULT,
    Form,
    PageCursor,
    PageLimit,
    Time,
    View,
    time_or_none,
)

TAG: Final = "regions"
_NAME_MAX: Final = 64
_TEXT_MAX: Final = 1024
OneRegion = Annotated[str, Path(max_length=_NAME_MAX)]
_REGION: Final[dict[str, Any]] = {
    "name": "archive",
    "provider": "s3",
    "profile": "ceph",
    "storage_classes": [],
    "has_credentials": False,
    "is_declared": False,
    "created_at": "2026-11-26T08:00:00.000Z",
    "changed_at": "2026-11-26T08:00:00.000Z",
    "connection": {
        "endpoint": "http://[::1]:9000",
        "addressing": "path",
        "signing_region": "us-east-1",
        "profile_overrides": {},
        "ca_file": None,
        "requests_per_second": None,
        "bytes_per_second": None,
        "max_connections": 256,
    },
}


def region_calls() -> list[Call]:
    return [*_looking(), *_changing()]


def _looking() -> list[Call]:
    return [
        Call(
            method="GET",
            path="/regions",
            answer=list_regions,
            access=Access.VIEWER,
            tag=TAG,
            summary="List regions",
            shape=RegionPage,
            example={"items": [_REGION], "next_cursor": None},
        ),
        Call(
            method="POST",
            path="/regions/{region}:test",
            answer=test_region,
            access=Access.OPERATOR,
            tag=TAG,
            summary="Say whether a region's store answers, and how fast",
            shape=RegionTriedView,
            example={
                "name": "archive",
                "is_reachable": True,
                "latency_seconds": 0.012,
                "credentials": "accepted",
                "detail": "200",
            },
        ),
        Call(
            method="GET",
            path="/regions/{region}",
            answer=describe_region,
            access=Access.VIEWER,
            tag=TAG,
            summary="Describe a region",
            shape=RegionView,
            example=_REGION,
        ),
    ]


def _changing() -> list[Call]:
    return [
        Call(
            method="POST",
            path="/regions",
            answer=create_region,
            access=Access.ADMIN,
            is_of_service_operator=True,
            tag=TAG,
            summary="Make a region",
            shape=RegionView,
            status=201,
            asked={"name": "archive", "endpoint": "http://[::1]:9000", "profile": "ceph"},
            example=_REGION,
        ),
        Call(
            method="PATCH",
            path="/regions/{region}",
            answer=update_region,
            access=Access.ADMIN,
            is_of_service_operator=True,
            tag=TAG,
            summary="Change a region",
            shape=RegionView,
            asked={"requests_per_second": 500, "storage_classes": None},
            example=_REGION,
        ),
        Call(
            method="DELETE",
            path="/regions/{region}",
            answer=delete_region,
            access=Access.ADMIN,
            is_of_service_operator=True,
            tag=TAG,
            summary="Delete a region",
            status=204,
        ),
    ]


# --- shapes

_Text = Annotated[str, Field(max_length=_TEXT_MAX)]


class RegionChange(Form):
    """What is left out stays as it is; null gives a field its default again. A file of authorities is named on the
    service's own host, with `cosbatch admin`."""

    provider: _Text | None = Field(default=None, description="`s3`, or `cos` for COS's own protocol.")
    endpoint: _Text | None = Field(default=None, description="`http[s]://host[:port]`.")
    addressing: _Text | None = Field(default=None, description="`path` or `virtual-host`.")
    profile: _Text | None = Field(default=None, description="What the store can do: `generic`, `s3`, `ceph`, `cos` ...")
    profile_overrides: dict[_Text, _Text] | None = Field(
        default=None, max_length=64, description="Option -> `applied`, `emulated` or `refused`."
    )
    storage_classes: list[_Text] | None = Field(default=None, max_length=64)
    signing_region: _Text | None = Field(default=None, description="What the store calls the region.")
    requests_per_second: float | None = Field(
        default=None, le=1e9, description="Cap over all workers, for each bucket."
    )
    bytes_per_second: float | None = Field(
        default=None, le=1e15, description="Cap on what goes through the service, for each bucket."
    )
    max_connections: int | None = Field(default=None, ge=1, le=10_000, strict=True)


class RegionForm(RegionChange):
    """A region has no credentials of its own: jobs in it bring a role."""

    name: str = Field(max_length=_NAME_MAX)


class Connection(View):
    endpoint: str
    addressing: Addressing
    signing_region: str
    profile_overrides: dict[str, str]
    ca_file: str | None
    requests_per_second: float | None
    bytes_per_second: float | None
    max_connections: int


class RegionView(View):
    name: str
    provider: Provider
    profile: str
    storage_classes: list[str] = Field(description="In place of the profile's; empty: the profile's.")
    has_credentials: bool = Field(description="Whether jobs without a role can run there.")
    is_declared: bool = Field(description="It stands in the settings, and is changed there.")
    created_at: Time | None = Field(description="Null for one of the settings.")
    changed_at: Time | None
    connection: Connection | None = Field(description="For admins; null for everybody else.")


class RegionPage(View):
    items: list[RegionView]
    next_cursor: str | None


class RegionTriedView(View):
    name: str
    is_reachable: bool
    latency_seconds: float | None = Field(description="Of one request, with a new connection where none was open.")
    credentials: KeyFound = Field(description="What the store makes of the region's own; `none` where it has none.")
    detail: str = Field(description="What the store has said, or why it could not be asked.")


def region_view(known: KnownRegion, *, has_credentials: bool, reader: UserRole) -> RegionView:
    region = known.region
    connection = Connection(
        endpoint=region.endpoint,
        addressing=region.addressing,
        signing_region=region.signing_region,
        profile_overrides=dict(region.profile_overrides),
        ca_file=region.ca_file,
        requests_per_second=region.requests_per_second,
        bytes_per_second=region.bytes_per_second,
        max_connections=region.max_connections,
    )
    return RegionView(
        name=region.name,
        provider=region.provider,
        profile=region.profile,
        storage_classes=list(region.storage_classes),
        has_credentials=has_credentials,
        is_declared=known.is_declared,
        created_at=time_or_none(known.created_at),
        changed_at=time_or_none(known.changed_at),
        connection=connection if reader.may(UserRole.ADMIN) else None,
    )


# --- calls


async def list_regions(
    desks: AllDesks, caller: WhoCalls, limit: PageLimit = PAGE_DEFAULT, cursor: PageCursor = ""
) -> RegionPage:
    """All that jobs may name, those of the settings and those that were made. By name."""
    found = await desks.region_table.known_regions()
    page, following = page_of(found, place=lambda known: (known.region.name,), limit=limit, cursor=cursor)
    items = [
        region_view(known, has_credentials=known.region.name in desks.browsing.with_credentials, reader=caller.role)
        for known in page
    ]
    return RegionPage(items=items, next_cursor=following)


async def describe_region(region: OneRegion, desks: AllDesks, caller: WhoCalls) -> RegionView:
    """One of the settings, or one that was made."""
    known = await desks.region_table.known_region(region)
    return region_view(known, has_credentials=region in desks.browsing.with_credentials, reader=caller.role)


async def create_region(
    form: Annotated[RegionForm, Body()], desks: AllDesks, caller: WhoCalls, response: Response
) -> RegionView:
    """The operator's alone: whoever makes a region says where this service sends requests. It is known at once."""
    given = form.model_dump(exclude={"name"}, exclude_none=True)
    made = await desks.region_table.create_region(acting(caller, desks), name=form.name, fields=given)
    response.headers["location"] = f"{PREFIX}/regions/{made.region.name}"
    return region_view(made, has_credentials=False, reader=caller.role)


async def update_region(
    region: OneRegion, form: Annotated[RegionChange, Body()], desks: AllDesks, caller: WhoCalls
) -> RegionView:
    """The operator's alone. Which store it is stays while an unfinished job names it; the rest is taken by running
    jobs too, within seconds."""
    given = form.model_dump(exclude_unset=True)
    changed = await desks.region_table.update_region(
        acting(caller, desks),
        region,
        fields={name: value for name, value in given.items() if value is not None},
        unset=[name for name, value in given.items() if value is None],
    )
    return region_view(changed, has_credentials=False, reader=caller.role)


async def delete_region(region: OneRegion, desks: AllDesks, caller: WhoCalls) -> None:
    """The operator's alone. Not while an unfinished job or a role names it."""
    await desks.region_table.delete_region(acting(caller, desks), region)


async def test_region(region: OneRegion, desks: AllDesks, caller: WhoCalls) -> RegionTriedView:
    """Asks the store for its buckets, and tells nothing of them."""
    tried = await desks.browsing.test_region(caller, region=region)
    return RegionTriedView(
        name=region,
        is_reachable=tried.is_reachable,
        latency_seconds=None if tried.latency_seconds is None else round(tried.latency_seconds, 4),
        credentials=tried.credentials,
        detail=tried.detail,
    )
