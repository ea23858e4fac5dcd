"""``cosbatch store probe``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from cosbatch.cli.invocation import EXIT_SUCCEEDED, WITHOUT_JOBS, Invocation, run_async, verb
from cosbatch.model.identifiers import Bucket, RegionName

if TYPE_CHECKING:  # --help needs none of it
    from cosbatch.storage.probe import Probed


@click.group("store")
def store() -> None:
    """Look at stores."""


@verb("probe", shared=WITHOUT_JOBS)
@click.argument("region")
@click.argument("bucket")
@click.option(
    "--prefix", default="cosbatch-probe/", show_default=True, help="Where in the bucket the probe writes its objects."
)
def probe(invocation: Invocation, *, region: str, bucket: str, prefix: str) -> int:
    """Try every option on a store; prints a capability profile to paste into the settings.

    Writes a few small objects below the prefix and deletes them again.
    """
    return run_async(_probe(invocation, region=RegionName(region), bucket=Bucket(bucket), prefix=prefix))


async def _probe(invocation: Invocation, *, region: RegionName, bucket: Bucket, prefix: str) -> int:
    from cosbatch.cli.output import print_json
    from cosbatch.settings import known_region
    from cosbatch.storage.probe import render_overrides

    settings = invocation.settings()
    known_region(settings, region)
    found = await invocation.wiring.probe(settings, region, bucket, prefix)
    if invocation.as_json:
        print_json({"region": region, "bucket": bucket} | _document(found))
    else:
        click.echo(render_overrides(found.report, found.profile), nl=False)
    return EXIT_SUCCEEDED


def _document(found: Probed) -> dict[str, Any]:
    return {
        "profile": found.profile.name,
        "profile_overrides": {
            option.value: support.value for option, support in found.report.overrides(found.profile).items()
        },
        "not_tried": {option.value: why for option, why in found.not_tried.items()},
        "left_behind": list(found.report.left_behind),
    }


store.add_command(probe)
