"""What several operations are checked for against their stores, before the first object is touched."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final
from unicodedata import category

from cosbatch.model.errors import Fault
from cosbatch.model.jobs import JobRequest
from cosbatch.model.manifests import ManifestField
from cosbatch.model.operations import Tag
from cosbatch.storage.profiles import CapabilityProfile, Option, Support

TAG_KEY_LENGTH: Final = 128
TAG_VALUE_LENGTH: Final = 256
"""S3, Object tagging, in characters."""
_TAG_MARKS: Final = frozenset("+-_=.:/@")


def check_version_column(request: JobRequest, source: CapabilityProfile) -> Iterator[Fault]:
    fields = request.manifest.spec.fields
    if ManifestField.VERSION_ID in fields and source.supports(Option.VERSIONS) is Support.REFUSED:
        yield Fault(
            path=f"Manifest.Spec.Fields[{fields.index(ManifestField.VERSION_ID)}]",
            value=ManifestField.VERSION_ID,
            problem=f"{Option.VERSIONS} is not offered by a {source.name} store",
            way_out="ignore the column",
        )


def check_offered(
    profile: CapabilityProfile, option: Option, *, path: str, value: str, way_out: str
) -> Iterator[Fault]:
    """For what no other request can stand in for."""
    if profile.supports(option) is not Support.APPLIED:
        problem = f"{option} is not offered by a {profile.name} store"
        yield Fault(path=path, value=value, problem=problem, way_out=way_out)


def check_tag_texts(tags: Sequence[Tag], *, path: str) -> Iterator[Fault]:
    """Lengths, characters, and keys that stand twice; ``path`` is that of the list."""
    for number, tag in enumerate(tags):
        place = f"{path}[{number}]"
        if not 1 <= len(tag.key) <= TAG_KEY_LENGTH:
            yield _fault(f"{place}.Key", tag.key, f"a tag's key has 1 to {TAG_KEY_LENGTH} characters")
        if len(tag.value) > TAG_VALUE_LENGTH:
            yield _fault(f"{place}.Value", tag.value, f"a tag's value has at most {TAG_VALUE_LENGTH} characters")
        for name, text in (("Key", tag.key), ("Value", tag.value)):
            if not all(map(_may_be_in_a_tag, text)):
                problem = "a tag is made of letters, digits, spaces and + - _ = . : / @"
                yield _fault(f"{place}.{name}", text, problem)
    for key, count in Counter(tag.key for tag in tags).items():
        if count > 1:
            yield _fault(path, key, f"{count} tags have this key", "give one of them")


def _may_be_in_a_tag(character: str) -> bool:
    """Letters, digits and spaces of any script (Amazon S3, Tag: ``[\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*``)."""
    return character in _TAG_MARKS or category(character)[0] in "LNZ"


def _fault(path: str, value: str, problem: str, way_out: str = "") -> Fault:
    return Fault(path=path, value=value[:200], problem=problem, way_out=way_out)
