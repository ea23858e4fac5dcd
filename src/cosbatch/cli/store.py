"""``cosbatch store probe``."""

from __future__ import annotations

import click

from cosbatch.cli.invocation import EXIT_SUCCEEDED, Invocation, run_async, verb
from cosbatch.model.identifiers import Bucket, RegionName


@click.group("store")
def store() -> None:
    """Look at stores."""


@verb("probe")
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

    settings = invocation.settings()
    known_region(settings, region)
    found = await invocation.wiring.probe(settings, region, bucket, prefix)
    if invocation.as_json:
        print_json({"region": region, "bucket": bucket, "profile": found})
    else:
        click.echo(found)
    return EXIT_SUCCEEDED


store.add_command(probe)
