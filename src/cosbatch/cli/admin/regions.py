"""``cosbatch admin create-region``, ``list-regions``, ``describe-region``, ``update-region`` and ``delete-region``."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import click

from cosbatch.cli.admin.asking import ADMIN_SHARED, show_list, show_one, shown_time, tell
from cosbatch.cli.admin.desks import ask_regions
from cosbatch.cli.invocation import Invocation, verb

if TYPE_CHECKING:
    from cosbatch.service.regions import KnownRegion

_FIELDS_SHARED: Final = tuple(option for option in ADMIN_SHARED if option != "--profile")
"""``--profile`` is what the store can do; the service is named by ``--server``, or by the surroundings."""
_MAPPINGS: Final = ("profile_overrides",)
_LISTS: Final = ("storage_classes",)
_UNSETTABLE: Final = (
    "endpoint",
    "addressing",
    "profile",
    "profile_overrides",
    "storage_classes",
    "signing_region",
    "ca_file",
    "requests_per_second",
    "bytes_per_second",
    "max_connections",
)
_FIELD_OPTIONS: Final = (
    click.option("--provider", metavar="NAME", help="The protocol that is spoken: s3 (default), or cos for COS's own."),
    click.option("--endpoint", metavar="URL", help="http[s]://host[:port]. With cos it may be left out."),
    click.option("--addressing", metavar="WAY", help="path, or virtual-host (the default with cos)."),
    click.option("--profile", metavar="NAME", help="What the store can do: generic (default), s3, ceph, cos, ..."),
    click.option(
        "--profile-override",
        "profile_overrides",
        multiple=True,
        metavar="OPTION=SUPPORT",
        help="A single option of the profile: applied, emulated or refused. May be given several times.",
    ),
    click.option(
        "--storage-class",
        "storage_classes",
        multiple=True,
        metavar="NAME",
        help="A class that jobs may ask for; default: those of the profile. May be given several times.",
    ),
    click.option("--signing-region", metavar="NAME", help="What the store calls the region; default: us-east-1."),
    click.option("--ca-file", metavar="FILE", help="PEM file with the authorities to trust, for the service to read."),
    click.option("--requests-per-second", metavar="N", help="Cap over all workers, for each bucket."),
    click.option("--bytes-per-second", metavar="N", help="Cap on what goes through the service, for each bucket."),
    click.option("--max-connections", metavar="N", help="Connections of one worker process to one bucket."),
)


def _region_fields(command: Callable[..., int]) -> Callable[..., int]:
    """They are taken as they are typed: the rules are those of the settings, with the same words."""
    for option in reversed(_FIELD_OPTIONS):
        command = option(command)
    return command


@verb("create-region", shared=_FIELDS_SHARED)
@click.argument("name")
@_region_fields
def create_region(invocation: Invocation, *, name: str, **options: Any) -> int:
    """Make a region, beside those of the settings. A running service knows it at once.

    It has no credentials of its own: jobs in it bring a role.
    """
    fields = _fields(options)
    made = ask_regions(invocation, lambda regions: regions.create_region(name=name, fields=fields), may_make=True)
    return _show(invocation, made)


@verb("list-regions", shared=ADMIN_SHARED)
def list_regions(invocation: Invocation) -> int:
    """List the regions that jobs may name: those of the settings, and those that were made."""
    found = ask_regions(invocation, lambda regions: regions.list_regions())
    rows = [
        (
            known.region.name,
            known.region.provider.value,
            known.region.endpoint,
            known.region.profile,
            _place(known),
            shown_time(known.changed_at),
        )
        for known in found
    ]
    header = ("REGION", "PROVIDER", "ENDPOINT", "PROFILE", "STANDS IN", "CHANGED")
    return show_list(invocation, "regions", [_document(known) for known in found], header, rows)


@verb("describe-region", shared=ADMIN_SHARED)
@click.argument("name")
def describe_region(invocation: Invocation, *, name: str) -> int:
    """Show all that is known of a region."""
    return _show(invocation, ask_regions(invocation, lambda regions: regions.describe_region(name)))


@verb("update-region", shared=_FIELDS_SHARED)
@click.argument("name")
@_region_fields
@click.option(
    "--unset",
    multiple=True,
    type=click.Choice(_UNSETTABLE),
    help="A field that gets its default again. May be given several times.",
)
def update_region(invocation: Invocation, *, name: str, unset: tuple[str, ...], **options: Any) -> int:
    """Change a region that was made here; what is not given stays as it is.

    Provider, endpoint, addressing, signing region, profile and its overrides stay while an unfinished job names it. The
    rest is taken by running jobs too, within seconds. Without any option, connections are made anew, with what stands
    in the ca-file now.
    """
    fields = _fields(options)
    changed = ask_regions(invocation, lambda regions: regions.update_region(name, fields=fields, unset=unset))
    return _show(invocation, changed)


@verb("delete-region", shared=ADMIN_SHARED)
@click.argument("name")
def delete_region(invocation: Invocation, *, name: str) -> int:
    """Delete a region that was made here. Not while an unfinished job or a role names it."""
    ask_regions(invocation, lambda regions: regions.delete_region(name))
    return tell(invocation, {"name": name}, f"Region {name} is deleted")


def _fields(options: dict[str, Any]) -> dict[str, Any]:
    """Those that were given, as they would stand in the settings."""
    given = {name: value for name, value in options.items() if value not in (None, ())}
    for name in _MAPPINGS:
        if name in given:
            given[name] = dict(_pair(text) for text in given[name])
    return given | {name: list(given[name]) for name in _LISTS if name in given}


def _pair(text: str) -> tuple[str, str]:
    option, separator, support = text.partition("=")
    if not separator:
        raise click.BadParameter(f"{text!r} is no OPTION=SUPPORT", param_hint="--profile-override")
    return option, support


def _show(invocation: Invocation, known: KnownRegion) -> int:
    region = known.region
    rows = [
        ("Region", region.name),
        ("Stands in", _place(known)),
        ("Provider", region.provider.value),
        ("Endpoint", region.endpoint),
        ("Addressing", region.addressing.value),
        ("Signing region", region.signing_region),
        ("Profile", region.profile),
        ("Profile overrides", ", ".join(f"{option}={support}" for option, support in region.profile_overrides)),
        ("Storage classes", ", ".join(region.storage_classes)),
        ("CA file", region.ca_file or ""),
        ("Requests per second", "" if region.requests_per_second is None else f"{region.requests_per_second:g}"),
        ("Bytes per second", "" if region.bytes_per_second is None else f"{region.bytes_per_second:.0f}"),
        ("Connections", str(region.max_connections)),
        ("Made", shown_time(known.created_at)),
        ("Changed", shown_time(known.changed_at)),
    ]
    return show_one(invocation, _document(known), [(name, value) for name, value in rows if value])


def _place(known: KnownRegion) -> str:
    return "settings" if known.is_declared else "ledger"


def _document(known: KnownRegion) -> dict[str, Any]:
    from cosbatch.service.regions import fields_of

    return {
        "name": known.region.name,
        **fields_of(known.region),
        "is_declared": known.is_declared,
        "created_at": shown_time(known.created_at) or None,
        "changed_at": shown_time(known.changed_at) or None,
    }
