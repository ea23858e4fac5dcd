"""``cosbatch admin create-role``, ``list-roles``, ``test-role``, ``role-policies``, ``replace-role-key`` and
``delete-role``."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cosbatch.cli.admin.asking import ADMIN_SHARED, show_list, show_one, tell
from cosbatch.cli.admin.desks import ask_roles, login_for
from cosbatch.cli.invocation import EXIT_SUCCEEDED, Invocation, run_async, verb

if TYPE_CHECKING:
    from cosbatch.model.identifiers import Bucket
    from cosbatch.model.jobs import JobRequest
    from cosbatch.model.principals import Role
    from cosbatch.service.roles import RolePolicies

PROVIDERS = ("tencent-sts", "aws-sts", "stored")
_ACCOUNT = click.option(
    "--account", default="", metavar="NAME", help="Whose role it is; default: of jobs of `cosbatch run`."
)
_JOB_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_PROVIDER = click.option("--provider", type=click.Choice(PROVIDERS), required=True, help="Who gives its credentials.")
_EXTERNAL_ID = click.option("--external-id", default="", help="What its trust policy asks for beside the key.")
_PRINCIPAL = click.option(
    "--principal", default="", metavar="ARN", help="Who may assume it; default: the account of the role."
)
_SOURCE = click.option(
    "--source", default="", metavar="BUCKET", help="The bucket that the job's manifest lists; default: any."
)


@verb("create-role", shared=ADMIN_SHARED)
@click.argument("arn")
@_ACCOUNT
@_PROVIDER
@click.option("--access-key-id", required=True, help="Of the key that assumes it; of a stored role, its own.")
@_EXTERNAL_ID
@click.option("--sts-endpoint", default="", metavar="URL", help="Address of the STS; default: the cloud's own.")
@click.option("--sts-region", default="", help="The region's name that the STS is asked in.")
@click.option("--description", default="", help="For people.")
@click.option(
    "--writable-bucket",
    "writable_buckets",
    multiple=True,
    metavar="BUCKET",
    help="A bucket that jobs under it may write or delete from; may be repeated. Default: any that it may.",
)
@click.option(
    "--make-for", type=_JOB_FILE, metavar="JOB.yaml", help="Make it at its provider, with what this job needs."
)
@_SOURCE
@_PRINCIPAL
def create_role(
    invocation: Invocation,
    *,
    make_for: Path | None,
    source: str,
    principal: str,
    account: str,
    writable_buckets: Sequence[str],
    **options: str,
) -> int:
    """Register a role. The secret key is read from standard input."""
    from cosbatch.identity.credentials import Credentials
    from cosbatch.model.identifiers import Bucket
    from cosbatch.model.principals import RoleProvider
    from cosbatch.service.roles import NewRole

    secret = sys.stdin.readline().rstrip("\r\n")
    new = NewRole(
        arn=options["arn"],
        provider=RoleProvider(options["provider"]),
        key=Credentials(access_key_id=options["access_key_id"], secret_access_key=secret),
        external_id=options["external_id"],
        sts_endpoint=options["sts_endpoint"],
        sts_region=options["sts_region"],
        description=options["description"],
        writable_buckets=tuple(Bucket(name) for name in writable_buckets),
    )
    request = _request(invocation, account, make_for) if make_for else None
    made = ask_roles(
        invocation,
        account,
        lambda roles: roles.create_role(new, make_for=request, source_bucket=_bucket(source), principal=principal),
    )
    document = _document(made.role) | {"is_made": made.is_made, "why_not": made.why_not}
    if request is None or made.is_made:
        return show_one(invocation, document, [("Role", made.role.arn), ("Made", "yes" if made.is_made else "no")])
    assert made.policies is not None
    note = f"The provider has not made it ({made.why_not}). Somebody who may has to make it with these policies."
    return _show_policies(invocation, made.policies, document=document, note=note)


@verb("list-roles", shared=ADMIN_SHARED)
@_ACCOUNT
def list_roles(invocation: Invocation, *, account: str) -> int:
    """List the roles that jobs of an account may name, without their secrets."""
    found = ask_roles(invocation, account, lambda roles: roles.list_roles())
    rows = [
        (role.arn, str(role.provider), "settings" if role.is_declared else "registry", role.description)
        for role in found
    ]
    header = ("ROLE", "PROVIDER", "STANDS IN", "DESCRIPTION")
    return show_list(invocation, "roles", [_document(role) for role in found], header, rows)


@verb("test-role", shared=ADMIN_SHARED)
@click.argument("arn")
@click.argument("job_file", metavar="JOB.yaml", type=_JOB_FILE)
@_ACCOUNT
def test_role(invocation: Invocation, *, arn: str, job_file: Path, account: str) -> int:
    """Say what of a job's needs a role may do, by doing it. No object is changed."""
    request = _request(invocation, account, job_file)
    tested = ask_roles(invocation, account, lambda roles: roles.test_role(arn, request=request))
    rows = [(access.purpose, access.verdict, access.detail) for access in tested.accesses]
    if invocation.as_json:
        names = ("purpose", "verdict", "detail")
        tried = [dict(zip(names, row, strict=True)) for row in rows]
        return tell(invocation, {"role": arn, "is_narrowed": tested.is_narrowed, "accesses": tried}, "")
    show_list(invocation, "accesses", [], ("NEEDED", "VERDICT", "WHAT WAS ASKED"), rows)
    if not tested.is_narrowed:
        click.echo("Its credentials cannot be narrowed: jobs have all of its rights.", err=True)
    return EXIT_SUCCEEDED


@verb("role-policies", shared=ADMIN_SHARED)
@click.argument("arn")
@click.argument("job_file", metavar="JOB.yaml", type=_JOB_FILE)
@click.option("--provider", type=click.Choice(PROVIDERS[:2]), required=True, help="In whose language.")
@_EXTERNAL_ID
@_SOURCE
@_PRINCIPAL
def role_policies(
    invocation: Invocation,
    *,
    arn: str,
    job_file: Path,
    provider: str,
    external_id: str,
    source: str,
    principal: str,
) -> int:
    """Show the trust policy and the least permission policy that a role needs for a job."""
    from cosbatch.model.principals import RoleProvider

    request = _request(invocation, "", job_file)

    found = ask_roles(
        invocation,
        "",
        lambda roles: roles.policies_for(
            arn,
            provider=RoleProvider(provider),
            request=request,
            source_bucket=_bucket(source),
            external_id=external_id,
            principal=principal,
        ),
    )
    return _show_policies(invocation, found, document={"role": arn})


@verb("replace-role-key", shared=ADMIN_SHARED)
@click.argument("arn")
@_ACCOUNT
@click.option("--access-key-id", required=True, help="Of the key that assumes it; of a stored role, its own.")
def replace_role_key(invocation: Invocation, *, arn: str, account: str, access_key_id: str) -> int:
    """Give a role another key. The secret key is read from standard input.

    Nothing is kept of the one before. Jobs that run take the new one as soon as it has proved good; test-role says what
    it may.
    """
    from cosbatch.identity.credentials import Credentials

    secret = sys.stdin.readline().rstrip("\r\n")
    key = Credentials(access_key_id=access_key_id, secret_access_key=secret)
    changed = ask_roles(invocation, account, lambda roles: roles.replace_role_key(arn, key=key))
    return tell(invocation, _document(changed), f"Role {arn} has another key")


@verb("delete-role", shared=ADMIN_SHARED)
@click.argument("arn")
@_ACCOUNT
def delete_role(invocation: Invocation, *, arn: str, account: str) -> int:
    """Delete a role from the registry. Its provider keeps it."""
    ask_roles(invocation, account, lambda roles: roles.delete_role(arn))
    return tell(invocation, {"role": arn}, f"Role {arn} is deleted here")


def _request(invocation: Invocation, account: str, job_file: Path) -> JobRequest:
    """Whether its regions are known, a service says itself."""
    from cosbatch.cli.run_identity import parse_job_file, read_job_file

    if login_for(invocation, account) is not None:
        return parse_job_file(job_file, regions=None).request
    regions = run_async(invocation.wiring.known_regions(invocation.settings(), invocation.state_folder))
    return read_job_file(job_file, regions=regions).request


def _bucket(name: str) -> Bucket | None:
    from cosbatch.model.identifiers import Bucket

    return Bucket(name) if name else None


def _show_policies(invocation: Invocation, policies: RolePolicies, *, document: dict[str, Any], note: str = "") -> int:
    if invocation.as_json:
        return tell(invocation, document | {"trust": policies.trust, "permission": policies.permission}, "")
    if note:
        click.echo(note, err=True)
    for name, policy in (("Trust policy", policies.trust), ("Permission policy", policies.permission)):
        click.echo(f"{name}:\n{json.dumps(policy, indent=2)}")
    return EXIT_SUCCEEDED


def _document(role: Role) -> dict[str, Any]:
    from cosbatch.service.job_document import iso_time

    return {
        "role": role.arn,
        "provider": str(role.provider),
        "is_declared": role.is_declared,
        "external_id": role.external_id,
        "sts_endpoint": role.sts_endpoint,
        "sts_region": role.sts_region,
        "description": role.description,
        "writable_buckets": list(role.writable_buckets),
        "key_changed_at": iso_time(role.key_changed_at),
    }
