"""The ``server`` section: where the service listens, how it is protected, and what a call may take."""

from __future__ import annotations

import ipaddress
from typing import Annotated, Final

from pydantic import AfterValidator, Field, StrictStr

from cosbatch.service.faults import refused
from cosbatch.settings.fields import KeySource, Secret, Section, file_path

DEFAULT_PORT: Final = 8014


def _host(text: str) -> str:
    bare = text.removeprefix("[").removesuffix("]")
    if not bare or any(letter.isspace() or letter in "/@\0" for letter in bare):
        raise refused("is no host", way_out="write an address of this machine, such as 127.0.0.1, ::1 or 0.0.0.0")
    return bare


def _network(text: str) -> str:
    try:
        ipaddress.ip_network(text)
    except ValueError:
        raise refused("is no address or network", way_out="write one such as 10.0.0.1 or 10.0.0.0/8") from None
    return text


class ServerSettings(Section):
    """Of ``cosbatch serve``."""

    host: Annotated[StrictStr, AfterValidator(_host)] = Field(
        default="127.0.0.1", description="Address to listen at. Beyond loopback TLS is needed, or the flag below."
    )
    port: int = Field(default=DEFAULT_PORT, ge=0, le=65535, description="Port to listen at; 0: any free one.")
    tls_certificate_file: Annotated[StrictStr, AfterValidator(file_path)] | None = Field(
        default=None, description="PEM file with the certificate and what leads to its authority."
    )
    tls_key_file: Annotated[StrictStr, AfterValidator(file_path)] | None = Field(
        default=None, description="PEM file with the certificate's key, without a passphrase."
    )
    allow_plain_http_beyond_loopback: bool = Field(
        default=False,
        description="Listen beyond loopback without TLS: behind a proxy that has TLS, or in a network that is trusted.",
    )
    trusted_proxies: list[Annotated[StrictStr, AfterValidator(_network)]] = Field(
        default=[],
        description="Addresses or networks of reverse proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` hold.",
    )
    operator_account: str = Field(
        default="main",
        description="Account whose admins are the service's operators over the network too: they make accounts and "
        "regions, and see people and audit log of all accounts. Empty: none has such; `cosbatch admin` is left.",
    )
    encryption_key: KeySource | None = Field(
        default=None,
        description="Where the key is that encrypts secrets in the ledger: `env:NAME`, `file:PATH` or "
        "`command:PROGRAM`; default: `encryption.key` in the data folder, made at the first start.",
    )
    metrics_token: Secret | None = Field(
        default=None,
        description="`/metrics` and the details of `/readyz` ask for it as bearer token; default: they are open.",
    )
    drain_seconds: float = Field(
        default=30, gt=0, le=3600, description="How long calls under way are waited for when the service stops."
    )
    body_seconds: float = Field(
        default=60, gt=0, le=3600, description="How long a client may take to send the body of a call."
    )
    max_body_bytes: int = Field(
        default=2**20, ge=1024, le=2**30, description="Longest body of a call; a longer one is refused unread."
    )
    max_connections: int = Field(
        default=1000, ge=1, le=100_000, description="Calls and connections at a time; more are answered with 503."
    )
    deletes_allowed: bool = Field(
        default=False,
        description="Jobs may be made that delete objects; `cosbatch run` asks for a count instead.",
    )
    calls_per_minute: int = Field(
        default=3000, ge=1, le=10**6, description="Calls of `/api/v1` that one session or API token may make."
    )
    logins_per_minute: int = Field(
        default=60, ge=1, le=10**6, description="Logins that are tried from one address; wrong ones wait sooner."
    )
    webhooks_allow_private: bool = Field(
        default=False,
        description="Webhooks may name addresses inside your network, and plain http: for labs, and where every admin "
        "of an account may reach what this service can reach.",
    )
    webhooks_ca_file: Annotated[StrictStr, AfterValidator(file_path)] | None = Field(
        default=None, description="PEM file with the authorities to trust for webhooks; default: the system's."
    )
    webhooks_source: StrictStr = Field(
        default="",
        description="What messages to webhooks name as their source, best this service's public URL; default: "
        "`/cosbatch/` and the name of the host.",
        max_length=1000,
    )
