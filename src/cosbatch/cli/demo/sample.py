"""The sample of ``serve --demo-store``: three buckets, some hundred objects, two manifests of them, and a job that
anybody can begin with."""

from __future__ import annotations

import csv
import hashlib
import io
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final
from urllib.parse import quote

from botocore.exceptions import ClientError

from cosbatch.cli.demo import contents
from cosbatch.cli.demo.contents import CONTROL, SOURCE, TARGET, Listed
from cosbatch.cli.demo.place import ADMIN_KEY, REGION, ROLE_ARN
from cosbatch.cli.demo.store import DemoStore

ROWS: Final = 300
LIST_KEY: Final = "manifests/photos.csv"
GONE: Final = ("photos/deleted-since/0.jpg", "photos/deleted-since/1.jpg")
"""Listed, and not there: a first job shows what becomes of such rows."""
_WRITERS: Final = 16


def sample_job(store: DemoStore) -> dict[str, Any]:
    """A job document over what lies in the store, which is put there if it is not. The store's user may have changed
    the list meanwhile: the ETag is that of now."""
    client = store.client(ADMIN_KEY)
    etag = _etag_of_list(client)
    if etag is None:
        etag = _fill(store, client)
    return {
        "description": "Sample: copy the photos of 2025 to the archive",
        "region": REGION,
        "priority": 10,
        "confirmation_required": True,
        "role_arn": ROLE_ARN,
        "manifest": {
            "location": {"object_arn": f"arn:aws:s3:::{CONTROL}/{LIST_KEY}", "etag": etag},
            "spec": {"format": "COSBatchOperations_CSV_V1", "fields": ["Bucket", "Key"]},
        },
        "operation": {
            "cos_put_object_copy": {
                "target_resource": f"arn:aws:s3:::{TARGET}",
                "prefix_replace": True,
                "resources_prefix": "photos/",
                "target_key_prefix": "2025/",
                "storage_class": "STANDARD_IA",
            }
        },
        "report": {
            "enabled": True,
            "bucket": f"arn:aws:s3:::{CONTROL}",
            "prefix": "reports",
            "format": "Report_CSV_V1",
            "report_scope": "AllTasks",
        },
    }


def _etag_of_list(client: Any) -> str | None:
    """None where there is none: it is written last."""
    try:
        return str(client.head_object(Bucket=CONTROL, Key=LIST_KEY)["ETag"]).strip('"')
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] != 404:
            raise
        return None


def _fill(store: DemoStore, client: Any) -> str:
    """The ETag of the list. What an earlier start has begun is done again."""
    contents.make_buckets(store)
    keys = contents.keys_to_write(ROWS - len(GONE))
    with ThreadPoolExecutor(_WRITERS) as pool:
        listed = list(pool.map(lambda key: _write(client, key), keys))
    contents.write_inventory(store, sorted(listed, key=lambda entry: entry.key.encode()))
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows((SOURCE, quote(key, safe="/")) for key in (*keys, *GONE))
    answer = client.put_object(Bucket=CONTROL, Key=LIST_KEY, Body=text.getvalue().encode(), ContentType="text/csv")
    return str(answer["ETag"]).strip('"')


def _write(client: Any, key: str) -> Listed:
    digest = hashlib.sha256(key.encode()).digest()
    body = digest * (1 + digest[0] % 40)
    answer = client.put_object(Bucket=SOURCE, Key=key, Body=body, ContentType="image/jpeg")
    return Listed(key=key, size_bytes=len(body), etag=str(answer["ETag"]).strip('"'))
