"""``cosbatch admin`` and a service over a socket: the same verbs, tables and JSON as on its own host."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from cosbatch.cli.admin.group import admin
from cosbatch.cli.main import cli
from tests.wire.rest_rig import ADMIN, OPERATOR
from tests.wire.test_cli_over_network import Desk


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Desk]:
    with Desk(tmp_path) as desk:
        desk.token = desk.there(desk.rig.token(ADMIN))
        yield desk


def ask(here: Desk, *arguments: str, code: int = 0, answer: str | None = None) -> dict[str, Any]:
    result = here.call("admin", *arguments, "--json", answer=answer)
    assert result.exit_code == code, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def shown(here: Desk, *arguments: str) -> str:
    result = here.call("admin", *arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def refused(here: Desk, *arguments: str) -> list[str]:
    """The paths of what was wrong."""
    return [fault["path"] for fault in ask(here, *arguments, code=2)["error"]["faults"]]


def test_users(here: Desk) -> None:
    made = ask(here, "create-user", "nina", "--role", "viewer")
    assert (made["account"], made["role"], bool(made["password"])) == ("first", "viewer", True)
    assert "User nina is disabled" in shown(here, "disable-user", "nina")
    [nina] = [user for user in ask(here, "list-users")["users"] if user["name"] == "nina"]
    assert (nina["is_disabled"], nina["account"]) == (True, "first")
    assert "USER" in shown(here, "list-users", "--account", "second")
    assert "User nina is enabled" in shown(here, "enable-user", "nina")
    assert ask(here, "reset-password", "nina")["password"] != made["password"]
    assert refused(here, "delete-user", "nina") == ["user"]
    ask(here, "disable-user", "nina")
    assert "User nina is deleted" in shown(here, "delete-user", "nina")
    assert ask(here, "delete-user", "nina", code=2)["error"]["code"] == "NoSuchEntity"
    given = ask(here, "create-user", "otto", "--password-stdin", answer="some words of one's own\n")
    assert "password" not in given
    assert ask(here, "create-user", "otto", code=2)["error"]["code"] == "EntityAlreadyExists"


def test_accounts(here: Desk) -> None:
    assert ask(here, "create-account", "third", "--uin", "100000000777")["uin"] == "100000000777"
    assert ask(here, "disable-account", "third")["is_disabled"]
    assert not ask(here, "enable-account", "third")["is_disabled"]
    assert "third" in [account["name"] for account in ask(here, "list-accounts")["accounts"]]


def test_access_keys(here: Desk) -> None:
    key = ask(here, "create-access-key", OPERATOR, "--description", "nightly")
    assert f"Access key {key['access_key_id']} is disabled" in shown(here, "disable-access-key", key["access_key_id"])
    [listed] = ask(here, "list-access-keys", "--user", OPERATOR)["access_keys"]
    assert (listed["is_disabled"], "secret_access_key" in listed, listed["description"]) == (True, False, "nightly")
    ask(here, "enable-access-key", key["access_key_id"])
    assert refused(here, "delete-access-key", key["access_key_id"]) == ["access_key_id"]
    ask(here, "disable-access-key", key["access_key_id"])
    assert "is deleted" in shown(here, "delete-access-key", key["access_key_id"])
    assert "No access keys." in shown(here, "list-access-keys", "--user", OPERATOR)


def test_tokens(here: Desk) -> None:
    made = ask(here, "create-token", OPERATOR, "--scope", "jobs:read", "--days", "1")
    assert made["token"].startswith("cosb_")
    assert refused(here, "revoke-token", made["token"]) == ["ID"]
    assert ask(here, "revoke-token", made["id"])["is_revoked"]
    assert "revoked" in shown(here, "list-tokens", "--user", OPERATOR)
    assert here.call("admin", "list-tokens", COSBATCH_API_TOKEN=made["token"]).exit_code == 2
    assert ask(here, "revoke-token", "no-such-token", code=2)["error"]["code"] == "NoSuchEntity"


def test_regions(here: Desk) -> None:
    given = ["--endpoint", "http://127.0.0.1:9", "--profile", "minio", "--requests-per-second", "5"]
    made = ask(here, "create-region", "lab", *given, "--profile-override", "versions=refused")
    assert (made["requests_per_second"], made["profile"]) == (5.0, "minio")
    assert made["profile_overrides"] == {"versions": "refused"}
    assert ask(here, "update-region", "lab", "--unset", "requests_per_second")["requests_per_second"] is None
    assert ask(here, "update-region", "lab", "--bytes-per-second", "1e6")["bytes_per_second"] == 1e6
    assert ask(here, "describe-region", "lab") == ask(here, "update-region", "lab", "--max-connections", "256")
    assert "lab" in shown(here, "list-regions")
    assert refused(here, "update-region", "lab", "--ca-file", "a.pem", "--requests-per-second", "many") == [
        "ca_file",
        "requests_per_second",
    ]
    assert "Region lab is deleted" in shown(here, "delete-region", "lab")


def test_roles(here: Desk) -> None:
    arn, file = "arn:aws:iam::123456789012:role/copy", here.job_file()
    policies = ask(here, "role-policies", arn, file, "--provider", "aws-sts", "--source", "raw-125")
    assert policies["permission"]["Statement"]
    assert "No roles." in shown(here, "list-roles")
    assert ask(here, "delete-role", arn, code=2)["error"]["code"] == "NoSuchRole"
    faulty = ["create-role", "not-an-arn", "--provider", "stored", "--access-key-id", "a"]
    assert ask(here, *faulty, code=2, answer="secret\n")["error"]["code"] == "InvalidArgument"


def test_a_role_gets_another_key(here: Desk) -> None:
    arn = "arn:aws:iam::123456789012:role/copy"
    made = ask(here, "create-role", arn, "--provider", "stored", "--access-key-id", "AKIA1", answer="secret\n")
    replace = ("replace-role-key", arn, "--access-key-id", "AKIA2")
    changed = ask(here, *replace, answer="another\n")
    assert (made["key_changed_at"], bool(changed["key_changed_at"])) == (None, True)
    assert changed | {"key_changed_at": None} == {name: made[name] for name in changed}
    assert ask(here, *replace, code=2, answer="\n")["error"]["faults"][0]["path"] == "key"


def test_webhooks(here: Desk) -> None:
    made = ask(here, "create-webhook", "pager", "https://hooks.example.com/x", "--status", "Complete")
    assert (made["statuses"], made["secret"].startswith("whsec_")) == (["Complete"], True)
    assert "Webhook pager is disabled" in shown(here, "disable-webhook", "pager")
    assert "enabled" in shown(here, "enable-webhook", "pager")
    assert ask(here, "rotate-webhook-secret", "pager")["secret"] != made["secret"]
    assert ask(here, "webhook-deliveries", "pager")["deliveries"] == []
    assert ask(here, "redeliver-message", "pager", "7", code=2)["error"]["code"] == "NoSuchEntity"
    assert [hook["name"] for hook in ask(here, "list-webhooks")["webhooks"]] == ["pager"]
    assert "deleted" in shown(here, "delete-webhook", "pager")


def test_the_audit_log_reads_the_same_here_and_there(here: Desk) -> None:
    for name in ("nina", "otto", "paul"):
        ask(here, "create-user", name)
    lines = ask(here, "audit", "--actor", ADMIN, "--action", "create-user")["audit"]
    assert [line["target"] for line in lines] == ["paul", "otto", "nina"]
    older = ask(here, "audit", "--action", "create-user", "--before", str(lines[0]["id"]), "--limit", "1")["audit"]
    assert older == [lines[1]]
    folder = ["--data", str(here.folder / "service")]
    kept = CliRunner(env={}).invoke(cli, ["admin", "audit", "--actor", ADMIN, "--json", *folder])
    assert json.loads(kept.stdout)["audit"] == lines


@pytest.mark.parametrize("verb", [["backup", "a.db"], ["restore", "a.db"], ["rotate-key"]])
@pytest.mark.parametrize("service", [["--server", "http://127.0.0.1:9"], ["--profile", "lab"]])
def test_what_works_on_files_stays_on_the_service_s_own_host(verb: list[str], service: list[str]) -> None:
    result = CliRunner(env={}).invoke(cli, ["admin", *verb, *service])
    assert result.exit_code == 2
    assert f"run cosbatch admin {verb[0]} --data DIR on the service's own host" in result.stderr
    assert service[0] in result.stderr


def test_each_verb_may_be_told_of_a_service() -> None:
    """Also those that refuse it, and say where to run."""
    options = {name: {one for option in verb.params for one in option.opts} for name, verb in admin.commands.items()}
    assert [name for name, known in options.items() if "--server" not in known] == []


def test_an_account_of_a_folder_and_a_service_are_not_named_together(here: Desk) -> None:
    assert refused(here, "list-roles", "--account", "first", "--server", here.url) == ["--server"]
    folder = ["--data", str(here.folder / "service")]
    assert refused(here, "list-users", *folder, "--server", here.url) == ["--server"]


def test_who_is_no_admin_is_told_so(here: Desk) -> None:
    here.token = here.there(here.rig.token(OPERATOR))
    assert ask(here, "list-users", code=2)["error"]["code"] == "AccessDenied"
