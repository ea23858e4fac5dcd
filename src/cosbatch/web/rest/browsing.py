"""A look into a region's store: buckets, and objects folder by folder."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, Final

from fastapi import Query
from pydantic import Field

from cosbatch.model.errors import JobFailure, StorageError, StorageReason
from cosbatch.model.identifiers import Bucket
from cosbatch.storage.disposition import Action, disposition
from cosbatch.web.rest.calls import Access, Call
from cosbatch.web.rest.desks import AllDesks, WhoCalls
from cosbatch.web.rest.errors import RestRefusal
from cosbatch.web.rest.operator import page_of
from cosbatch.web.rest.shapes import (
    PAGE_DEFAULT,
    PageCursor,
    PageLimit,
    Time,
    View,
    time_or_none,
    time_text,
    wrong_cursor,
)

TAG: Final = "stores"
_KEY_MAX: Final = 1024
_CURSOR_MAX: Final = 2048
"""A store's own token is in it, or a key of 1,024 bytes."""
InRegion = Annotated[str, Query(max_length=64, description="A region of the table.")]
AsRole = Annotated[
    str,
    Query(max_length=1024, description="A role of the account to look with. Admins may do without: then the region's."),
]
_REFUSED: Final = {
    404: "There is no such bucket.",
    409: "The store says no, or the role cannot be assumed.",
}
_OBJECT: Final[dict[str, Any]] = {
    "key": "raw/2025/08/01.log",
    "size_bytes": 52_417,
    "etag": "9c1185a5c5e9fc54612808977ee8f548",
    "last_modified": "2025-08-02T03:00:00.000Z",
    "storage_class": "STANDARD",
}


def browsing_calls() -> list[Call]:
    return [
        Call(
            method="GET",
            path="/buckets",
            answer=list_buckets,
            access=Access.OPERATOR,
            tag=TAG,
            summary="List the buckets of a region's store",
            shape=BucketPage,
            example={
                "items": [
                    {
                        "name": "logs-1250000000",
                        "created_at": "2025-08-01T03:00:00.000Z",
                        "store_region": "ap-x",
                    }
                ],
                "next_cursor": None,
            },
            refusals=_REFUSED,
        ),
        Call(
            method="GET",
            path="/objects",
            answer=list_objects,
            access=Access.OPERATOR,
            tag=TAG,
            summary="List the objects of a bucket",
            shape=ObjectPage,
            example={"items": [_OBJECT], "folders": ["raw/2025/09/"], "next_cursor": None},
            refusals=_REFUSED,
        ),
    ]


class BucketView(View):
    name: str
    created_at: Time | None = Field(description="Null where the store does not say.")
    store_region: str = Field(description="The store's own name of the bucket's region; empty where it does not say.")


class BucketPage(View):
    items: list[BucketView]
    next_cursor: str | None


class ObjectView(View):
    key: str
    size_bytes: int
    etag: str = Field(description="Without quotes.")
    last_modified: Time
    storage_class: str = Field(description="Empty where the store does not say, which means STANDARD.")


class ObjectPage(View):
    items: list[ObjectView]
    folders: list[str] = Field(description="What keys that were left out have in common, up to the delimiter.")
    next_cursor: str | None


@contextmanager
def refusals_of_store() -> Iterator[None]:
    """What a store has looked at and refused is told with its reason; what did not answer is not there now."""
    try:
        yield
    except StorageError as error:
        if error.reason is StorageReason.NO_SUCH_BUCKET:
            raise RestRefusal("NoSuchBucket", f"{error.target}: {error.message}", http_status=404) from error
        is_no = disposition(error, writes=False).action in (Action.FAIL_TASK, Action.FAIL_JOB)
        if is_no or error.reason in (StorageReason.ACCESS_DENIED, StorageReason.CREDENTIALS_REFUSED):
            message = f"the store says no to {error.target}: {error.code}: {error.message}"
            raise RestRefusal("StoreRefused", message, http_status=409) from error
        # Why it did not may name its address, which is for admins: the log has it.
        silent = "the region's store does not answer now"
        raise StorageError(error.reason, f"{silent}: {error.code}", code=error.code, target=error.target) from error
    except JobFailure as failure:
        raise RestRefusal("StoreRefused", failure.reason, http_status=409) from failure


async def list_buckets(
    desks: AllDesks,
    caller: WhoCalls,
    region: InRegion,
    role_arn: AsRole = "",
    limit: PageLimit = PAGE_DEFAULT,
    cursor: PageCursor = "",
) -> BucketPage:
    """Those that the role, or the region's own credentials, may list. By name."""
    with refusals_of_store():
        found = await desks.browsing.list_buckets(caller, region=region, role_arn=role_arn)
    page, following = page_of(found, place=lambda bucket: (bucket.name,), limit=limit, cursor=cursor)
    items = [
        BucketView(name=bucket.name, created_at=time_or_none(bucket.created_at), store_region=bucket.region)
        for bucket in page
    ]
    return BucketPage(items=items, next_cursor=following)


async def list_objects(
    desks: AllDesks,
    caller: WhoCalls,
    region: InRegion,
    bucket: Annotated[str, Query(max_length=255)],
    prefix: Annotated[str, Query(max_length=_KEY_MAX, description="Only keys that begin so.")] = "",
    delimiter: Annotated[
        str, Query(max_length=64, description="Usually `/`: keys that have it after the prefix come as `folders`.")
    ] = "",
    role_arn: AsRole = "",
    limit: PageLimit = PAGE_DEFAULT,
    cursor: Annotated[
        str,
        Query(max_length=_CURSOR_MAX, description="`next_cursor` of the page before; without it: the first page."),
    ] = "",
) -> ObjectPage:
    """In the store's order. Objects and folders count together for the limit."""
    with refusals_of_store():
        page = await desks.browsing.list_objects(
            caller,
            region=region,
            bucket=Bucket(bucket),
            prefix=prefix,
            delimiter=delimiter,
            token=_token(cursor),
            limit=limit,
            role_arn=role_arn,
        )
    items = [
        ObjectView(
            key=each.key,
            size_bytes=each.size_bytes,
            etag=each.etag,
            last_modified=time_text(each.last_modified),
            storage_class=each.storage_class,
        )
        for each in page.objects
    ]
    return ObjectPage(items=items, folders=list(page.folders), next_cursor=_cursor(page.next_token))


def _cursor(token: str) -> str | None:
    return base64.urlsafe_b64encode(token.encode()).decode().rstrip("=") if token else None


def _token(cursor: str) -> str:
    try:
        return base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        raise wrong_cursor(cursor) from None
