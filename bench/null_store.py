"""The null store: nginx answers every copy from memory, so that what is measured is who asks.

No bucket is there: a copy is answered with a result, a HEAD with the same object for any key, a listing from files.
What goes to the bucket ``control`` (the manifest, the report) is passed on to a real store. HTTP and HTTPS on
loopback; the CPU of both servers is nobody's.
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import trustme

from bench.object_list import OBJECT_BYTES, OBJECT_ETAG, list_pages

CONTROL_BUCKET: Final = "control"
START_SECONDS: Final = 20
_OBJECT: Final = "0123456789abcdef"
_RESULT: Final = (
    '<?xml version="1.0" encoding="UTF-8"?><CopyObjectResult><LastModified>2025-08-01T03:00:00.000Z</LastModified>'
    f"<ETag>&quot;{OBJECT_ETAG}&quot;</ETag></CopyObjectResult>"
)
_BEGUN: Final = "<InitiateMultipartUploadResult><UploadId>upload</UploadId></InitiateMultipartUploadResult>"
_UPLOADS: Final = "<ListMultipartUploadsResult><IsTruncated>false</IsTruncated></ListMultipartUploadsResult>"
"""Before its first copy a job begins an upload and ends it, to see whether it may write."""

_CONFIG: Final = """
USER
daemon off;
worker_processes 1;
pid FOLDER/nginx.pid;
error_log FOLDER/error.log warn;
events { worker_connections 8192; }
http {
  access_log off;
  default_type application/xml;
  types { }
  client_body_temp_path FOLDER/body;
  proxy_temp_path FOLDER/proxy;
  fastcgi_temp_path FOLDER/fastcgi;
  uwsgi_temp_path FOLDER/uwsgi;
  scgi_temp_path FOLDER/scgi;
  keepalive_requests 1000000000;
  keepalive_timeout 3600s;
  client_max_body_size 0;
  ssl_certificate FOLDER/server.pem;
  ssl_certificate_key FOLDER/server.key;
  merge_slashes off;
  map $args $page {
    default 0;
    "~continuation-token=(?<token>[0-9]+)" $token;
  }
  map $args $question {
    default object;
    "~(^|&)list-type=2" list;
    "~(^|&)versioning" versioning;
    "~(^|&)location" location;
    "~(^|&)uploads" uploads;
    "~(^|&)uploadId" parts;
  }
  map $request_method $uploads {
    default 'UPLOADS';
    POST 'BEGUN';
  }
  server {
    listen 127.0.0.1:PLAIN_PORT backlog=4096;
    listen 127.0.0.1:TLS_PORT ssl backlog=4096;
    location /control {
      proxy_pass http://127.0.0.1:CONTROL_PORT;
      proxy_http_version 1.1;
      proxy_set_header Host $http_host;
      proxy_set_header Connection "";
      proxy_pass_request_headers on;
    }
    location /listing/ {
      internal;
      alias FOLDER/pages/;
    }
    location / {
      if ($http_x_amz_copy_source) { return 200 'RESULT'; }
      if ($http_x_cos_copy_source) { return 200 'RESULT'; }
      if ($question = list) { rewrite ^/objects /listing/$page.xml last; }
      if ($question = list) { return 200 '<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>'; }
      if ($question = versioning) { return 200 '<VersioningConfiguration/>'; }
      if ($question = location) { return 200 '<LocationConstraint>us-east-1</LocationConstraint>'; }
      if ($question = uploads) { return 200 $uploads; }
      if ($request_method = DELETE) { return 204; }
      if ($question = parts) { return 200 '<ListPartsResult><IsTruncated>false</IsTruncated></ListPartsResult>'; }
      default_type application/octet-stream;
      add_header ETag '"ETAG"';
      add_header Last-Modified 'Fri, 01 Aug 2025 03:00:00 GMT';
      return 200 'OBJECT';
    }
  }
}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class NullStore:
    port: int
    tls_port: int
    ca_file: Path

    @property
    def cos_endpoint(self) -> str:
        """A host of COS's form, for clients that connect to loopback whatever the host."""
        return f"http://cos.null.example:{self.port}"

    def endpoint(self, *, tls: bool) -> str:
        return f"https://127.0.0.1:{self.tls_port}" if tls else f"http://127.0.0.1:{self.port}"


@contextlib.contextmanager
def null_store(folder: Path, *, control_port: int, listed: int) -> Iterator[NullStore]:
    """nginx on free ports. ``control_port`` is the real store's; a listing shows ``listed`` keys."""
    assert len(_OBJECT) == OBJECT_BYTES
    (folder / "pages").mkdir(parents=True)
    for number, page in enumerate(list_pages(listed)):
        (folder / "pages" / f"{number}.xml").write_bytes(page)
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    certificate = authority.issue_cert("127.0.0.1", "localhost")
    certificate.private_key_pem.write_to_path(str(folder / "server.key"))
    for blob in certificate.cert_chain_pems:
        blob.write_to_path(str(folder / "server.pem"), append=True)
    port, tls_port = free_ports(2)
    wanted = {
        # A server that root starts gives its rights up, and then could not read the pages.
        "USER": "user root;" if os.geteuid() == 0 else "",
        "FOLDER": str(folder),
        "PLAIN_PORT": str(port),
        "TLS_PORT": str(tls_port),
        "CONTROL_PORT": str(control_port),
        "RESULT": _RESULT,
        "BEGUN": _BEGUN,
        "UPLOADS": _UPLOADS,
        "ETAG": OBJECT_ETAG,
        "OBJECT": _OBJECT,
    }
    config = _CONFIG
    for word, value in wanted.items():
        config = config.replace(word, value)
    (folder / "nginx.conf").write_text(config)
    process = subprocess.Popen(["nginx", "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")])
    try:
        wait_for_port(port, process)
        yield NullStore(port=port, tls_port=tls_port, ca_file=folder / "ca.pem")
    finally:
        process.terminate()
        process.wait()


def free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for found in sockets:
            found.bind(("127.0.0.1", 0))
        return [found.getsockname()[1] for found in sockets]


def wait_for_port(port: int, process: subprocess.Popen[bytes]) -> None:
    ends = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < ends:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError(f"{process.args!r} does not listen on port {port}")
