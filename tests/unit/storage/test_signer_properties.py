"""Any key in a signed request: the path that botocore would sign, and the fast signer signs like the plain one."""

from __future__ import annotations

import datetime as dt
from unittest import mock

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import botocore.utils
from hypothesis import given
from hypothesis import strategies as st

from cosbatch.identity import sigv4
from cosbatch.identity.credentials import Credentials
from cosbatch.model.identifiers import ObjectKey
from cosbatch.storage.signer import EMPTY_SHA256, TemplateSigner, quote_path, quote_query_value
from tests.keys import KEYS
from tests.unit.storage.scripted_server import ManualClock

USER = Credentials(access_key_id="AKID", secret_access_key="secret/+")
ROLE = Credentials(access_key_id="ASIA", secret_access_key="other", session_token="token/+==")
HOST = "store.example:8333"


def authorization_by_botocore(head: bytes, *, credentials: Credentials, unix_seconds: float) -> str:
    """The Authorization that botocore's signer for S3 gives the request whose head this is."""
    first, *lines = head.decode("ascii").split("\r\n")
    method, path, _ = first.split(" ")
    headers = dict(line.split(": ", 1) for line in lines if line)
    for name in ("authorization", "x-amz-date", "x-amz-security-token"):
        headers.pop(name, None)
    request = botocore.awsrequest.AWSRequest(method=method, url=f"https://{HOST}{path}", headers=headers, data=b"")
    request.context["payload_signing_enabled"] = True
    keys = botocore.credentials.Credentials(
        credentials.access_key_id, credentials.secret_access_key, credentials.session_token or None
    )
    moment = dt.datetime.fromtimestamp(unix_seconds, dt.UTC)
    with mock.patch("botocore.auth.get_current_datetime", return_value=moment):
        botocore.auth.S3SigV4Auth(keys, "s3", "eu-test-1").add_auth(request)
    return str(request.headers["Authorization"])


@given(key=KEYS)
def test_a_path_is_encoded_as_botocore_does_it(key: ObjectKey) -> None:
    assert quote_path(key) == botocore.utils.percent_encode(key, safe="/~").encode()
    assert quote_query_value(key) == botocore.utils.percent_encode(key, safe="~").encode()
    assert quote_path(key) == sigv4.uri_encode(key, keep_slash=True)


@given(copies=st.lists(st.tuples(KEYS, KEYS, st.sampled_from([USER, ROLE]), st.integers(0, 90_000)), max_size=5))
def test_any_copy_is_signed_as_the_plain_signer_and_botocore_do_it(
    copies: list[tuple[ObjectKey, ObjectKey, Credentials, int]],
) -> None:
    clock = ManualClock()
    signer = TemplateSigner(region="eu-test-1", clock=clock)
    fixed = [(b"content-length", b"0")]
    template = signer.template(
        b"PUT",
        HOST.encode(),
        fixed_headers=fixed,
        varying_header_names=[b"x-amz-copy-source"],
        payload_hash=EMPTY_SHA256,
    )
    for source, target, credentials, seconds in copies:
        clock.seconds += seconds
        path, copied = b"/bucket/" + quote_path(target), b"/from/" + quote_path(source)
        head = template.head(credentials, path, [copied])
        headers = [*fixed, (b"x-amz-copy-source", copied)]
        assert head == signer.head(
            credentials, b"PUT", HOST.encode(), path, b"", headers=headers, payload_hash=EMPTY_SHA256
        )
        signed = authorization_by_botocore(head, credentials=credentials, unix_seconds=int(clock.now()))
        assert f"\r\nauthorization: {signed}\r\n".encode() in head
