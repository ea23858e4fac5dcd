"""Request bodies as cos-go-sdk-v5 0.7 and Terraform's ``tencentcloud_cos_batch`` make them.

Neither is on PyPI. What stands here is how they write, as the protocol's digest (1.14) and Go's encoding/xml have it:
elements in the order of the SDK's structs, without a declaration; text with ``&#34;`` and ``&#39;`` for quotes;
booleans of options as the strings "true" and "false", and of PrefixReplace only a true one; one COSGrant at most.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import quote, urlencode

Tree = str | Sequence["Pair"]
Pair = tuple[str, Tree]

_ESCAPES: Final = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&#34;", "'": "&#39;", "\t": "&#x9;", "\n": "&#xA;", "\r": "&#xD;"}
)


def marshal(name: str, content: Tree) -> bytes:
    return _marshal(name, content).encode()


def _marshal(name: str, content: Tree) -> str:
    inner = (
        content.translate(_ESCAPES)
        if isinstance(content, str)
        else "".join(_marshal(child, value) for child, value in content)
    )
    return f"<{name}>{inner}</{name}>"


def request_bytes(
    method: str,
    path: str,
    query: Mapping[str, str],
    *,
    host: str,
    appid: str,
    secret_id: str,
    secret_key: str,
    now: int,
    token: str = "",
    body: bytes = b"",
) -> bytes:
    """A whole request as the SDK's AuthorizationTransport lets it go: the query in Go's form (``+`` for a blank), the
    signature over the headers that the SDK sets itself, so without Content-Length, and a token that is not signed."""
    headers = {"Host": host, "X-Cos-Appid": appid, "User-Agent": "cos-go-sdk-v5/0.7.33"}
    if body:
        digest = base64.b64encode(hashlib.md5(body).digest()).decode()
        headers |= {"Content-MD5": digest, "Content-Type": "application/xml"}
    signed = {name.lower(): value for name, value in headers.items() if name != "User-Agent"}
    headers["Authorization"] = _authorization(method, path, query, signed, secret_id, secret_key, now=now)
    if token:
        headers["X-Cos-Security-Token"] = token
    target = quote(path) + (f"?{urlencode(query)}" if query else "")
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    lines += [f"Content-Length: {len(body)}", "Accept-Encoding: gzip", "Connection: close", "", ""]
    return "\r\n".join(lines).encode() + body


def _authorization(
    method: str,
    path: str,
    query: Mapping[str, str],
    headers: Mapping[str, str],
    secret_id: str,
    secret_key: str,
    *,
    now: int,
) -> str:
    def listed(values: Mapping[str, str]) -> tuple[str, str]:
        pairs = sorted((quote(name, safe="-_.~").lower(), quote(value, safe="-_.~")) for name, value in values.items())
        return ";".join(name for name, _ in pairs), "&".join("=".join(pair) for pair in pairs)

    def keyed(key: str, text: str) -> str:
        return hmac.new(key.encode(), text.encode(), hashlib.sha1).hexdigest()

    span = f"{now};{now + 3600}"
    header_list, header_text = listed(headers)
    parameter_list, parameter_text = listed(query)
    hashed = hashlib.sha1(f"{method.lower()}\n{path}\n{parameter_text}\n{header_text}\n".encode()).hexdigest()
    signature = keyed(keyed(secret_key, span), f"sha1\n{span}\n{hashed}\n")
    return (
        f"q-sign-algorithm=sha1&q-ak={secret_id}&q-sign-time={span}&q-key-time={span}"
        f"&q-header-list={header_list}&q-url-param-list={parameter_list}&q-signature={signature}"
    )


def create_job(
    *,
    token: str = "0b0c2a3e-7e0e-4b5b-9a3b-1f5f3b8f2c11",
    etag: str = '"9c1185a5c5e9fc54612808977ee8f548"',
    object_arn: str = "qcs::cos:ap-guangzhou::logs-1250000001/inv/manifest.json",
    spec: Sequence[Pair] = (("Format", "COSInventoryReport_CSV_V1"),),
    operation: Sequence[Pair] | None = None,
    confirmation_required: str = "true",
    description: str = "move cold logs",
    priority: str = "10",
    report: Sequence[Pair] | None = None,
    role_arn: str = "qcs::cam::uin/100000000001:roleName/COSBatch_QcsRole",
) -> bytes:
    """What ``BatchService.CreateJob`` sends."""
    optional = [("ConfirmationRequired", confirmation_required), ("Description", description)]
    return marshal(
        "CreateJobRequest",
        [
            ("ClientRequestToken", token),
            *[(name, value) for name, value in optional if value],
            ("Manifest", [("Location", [("ETag", etag), ("ObjectArn", object_arn)]), ("Spec", list(spec))]),
            ("Operation", copy_operation() if operation is None else list(operation)),
            ("Priority", priority),
            ("Report", REPORT if report is None else list(report)),
            ("RoleArn", role_arn),
        ],
    )


REPORT: Final[list[Pair]] = [
    ("Bucket", "qcs::cos:ap-guangzhou::logs-1250000001"),
    ("Enabled", "true"),
    ("Format", "Report_CSV_V1"),
    ("Prefix", "job-result"),
    ("ReportScope", "FailedTasksOnly"),
]


NO_REPORT: Final[list[Pair]] = [("Bucket", ""), ("Enabled", "false"), ("Format", ""), ("ReportScope", "")]


def copy_operation(*fields: Pair, target: str = "qcs::cos:ap-shanghai::cold-1250000001") -> list[Pair]:
    return [("COSPutObjectCopy", [*fields, ("TargetResource", target)])]


EVERY_COPY_FIELD: Final[list[Pair]] = [
    ("AccessControlDirective", "Replaced"),
    (
        "AccessControlGrants",
        [
            (
                "COSGrant",
                [
                    (
                        "Grantee",
                        [
                            ("DisplayName", 'the "archive" team'),
                            ("Identifier", "qcs::cam::uin/100000000001:uin/100000000002"),
                            ("TypeIdentifier", "ID"),
                        ],
                    ),
                    ("Permission", "READ"),
                ],
            )
        ],
    ),
    ("PrefixReplace", "true"),
    ("ResourcesPrefix", "raw/"),
    ("TargetKeyPrefix", "archive/raw/"),
    ("MetadataDirective", "Add"),
    ("ModifiedSinceConstraint", "1576812701"),
    ("UnModifiedSinceConstraint", "1754103600"),
    (
        "NewObjectMetadata",
        [
            ("CacheControl", "no-store"),
            ("ContentDisposition", 'attachment; filename="a b.txt"'),
            ("ContentEncoding", "gzip"),
            ("ContentType", "text/plain"),
            ("HttpExpiresDate", "Fri, 20 Dec 2019 03:31:41 GMT"),
            ("SSEAlgorithm", "AES256"),
            (
                "UserMetadata",
                [
                    ("member", [("Key", "x-cos-meta-moved"), ("Value", "1")]),
                    ("member", [("Key", "by"), ("Value", "batch & co")]),
                ],
            ),
        ],
    ),
    ("TaggingDirective", "Replaced"),
    ("NewObjectTagging", [("COSTag", [("Key", "tier"), ("Value", "cold")])]),
    ("StorageClass", "STANDARD_IA"),
]


def terraform_create_job(*, token: str = "3f1f8f0e-58a5-4e7c-9d7e-2f3c6a1b7d90", confirm: bool = True) -> bytes:
    """The example of the resource's documentation: ARNs with ``uid/``, an ETag without quotes, and the empty elements
    that come of blocks that are not written."""
    return marshal(
        "CreateJobRequest",
        [
            ("ClientRequestToken", token),
            ("ConfirmationRequired", "true" if confirm else "false"),
            ("Description", "cos_batch"),
            (
                "Manifest",
                [
                    (
                        "Location",
                        [
                            ("ETag", "9c1185a5c5e9fc54612808977ee8f548"),
                            ("ObjectArn", "qcs::cos:ap-guangzhou:uid/1250000001:logs-1250000001/inv/manifest.json"),
                        ],
                    ),
                    ("Spec", [("Format", "COSInventoryReport_CSV_V1")]),
                ],
            ),
            (
                "Operation",
                [
                    (
                        "COSPutObjectCopy",
                        [
                            ("AccessControlDirective", "Copy"),
                            ("MetadataDirective", "Copy"),
                            ("TaggingDirective", "Copy"),
                            ("NewObjectTagging", []),
                            ("TargetResource", "qcs::cos:ap-guangzhou:uid/1250000001:cos-lock-1250000001"),
                        ],
                    )
                ],
            ),
            ("Priority", "1"),
            (
                "Report",
                [
                    ("Bucket", "qcs::cos:ap-guangzhou:uid/1250000001:logs-1250000001"),
                    ("Enabled", "true"),
                    ("Format", "Report_CSV_V1"),
                    ("ReportScope", "AllTasks"),
                ],
            ),
            ("RoleArn", "qcs::cam::uin/100000000001:roleName/COSBatch_QCSRole"),
        ],
    )
