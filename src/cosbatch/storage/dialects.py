"""The words in which providers of one protocol differ: S3 as Amazon and many others speak it, and COS's own XML API.

Sources: Amazon S3 API reference; COS API documentation and cos-python-sdk-v5, whose requests the tests compare ours
with. What is not here, both say alike.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, assert_never

from cosbatch.model.clock import Clock
from cosbatch.model.identifiers import Bucket
from cosbatch.model.regions import Addressing, Provider, Region
from cosbatch.storage.cos_signer import CosSigner
from cosbatch.storage.places import checked_bucket, place_of
from cosbatch.storage.request_heads import Signer
from cosbatch.storage.signer import TemplateSigner


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How one provider says what all of them have."""

    header_prefix: bytes
    replace_word: bytes
    """Value of a directive that replaces what the source has."""
    between_grantees: str
    """In a header that grants a permission to several."""
    xml_namespace: str
    """Of the documents that are sent; empty: they have none."""
    restore_parameters: str
    """The element with the tier in a request to restore."""
    groups: str
    """What the URIs of the groups in access lists begin with. The port has them as S3 does."""
    lists_by_marker: bool
    """Pages of objects go on after a key, as in the first version of S3's list, in place of a token of the store."""
    encodes_uploads: bool
    """Whether lists of uploads and parts are asked for with encoded keys: those that speak S3 do not agree about it."""
    crc64_header: str
    """In which an answer names the CRC-64 of the whole body that was read or written; empty: none does."""
    hashes_payload: bool
    """Whether signatures have a place for the hash of the body."""
    source_place: Callable[[Region, Bucket], bytes]
    """What stands before ``/key`` in the header that names the source of a copy."""
    signer: Callable[[Region, Clock], Signer]

    def header(self, name: bytes) -> bytes:
        return self.header_prefix + name


S3_GROUPS: Final = "http://acs.amazonaws.com/groups/"


def _bucket_alone(_: Region, bucket: Bucket) -> bytes:
    return checked_bucket(bucket).encode()


def _host_of_bucket(region: Region, bucket: Bucket) -> bytes:
    """Whatever the addressing, the source is named by its host (COS, PUT Object - Copy)."""
    return place_of(replace(region, addressing=Addressing.VIRTUAL_HOST), bucket).host


def _sigv4(region: Region, clock: Clock) -> Signer:
    return TemplateSigner(region=region.signing_region, clock=clock)


def _cos_v5(_: Region, clock: Clock) -> Signer:
    return CosSigner(clock=clock)


S3_DIALECT: Final = Dialect(
    header_prefix=b"x-amz-",
    replace_word=b"REPLACE",
    between_grantees=", ",
    xml_namespace="http://s3.amazonaws.com/doc/2006-03-01/",
    restore_parameters="GlacierJobParameters",
    groups=S3_GROUPS,
    lists_by_marker=False,
    encodes_uploads=False,
    crc64_header="",
    hashes_payload=True,
    source_place=_bucket_alone,
    signer=_sigv4,
)
COS_DIALECT: Final = Dialect(
    header_prefix=b"x-cos-",
    replace_word=b"Replaced",
    between_grantees=",",
    xml_namespace="",
    restore_parameters="CASJobParameters",
    groups="http://cam.qcloud.com/groups/",
    lists_by_marker=True,
    encodes_uploads=True,
    crc64_header="x-cos-hash-crc64ecma",
    hashes_payload=False,
    source_place=_host_of_bucket,
    signer=_cos_v5,
)


def dialect_of(provider: Provider) -> Dialect:
    match provider:
        case Provider.S3:
            return S3_DIALECT
        case Provider.COS:
            return COS_DIALECT
        case _:
            assert_never(provider)
