"""``cosbatch admin`` with webhooks, in this process, on a ledger in a folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.cli.cli_rig import SETTINGS, CliRig

URL = "https://hooks.example.com/cosbatch"


@pytest.fixture
def rig(tmp_path: Path) -> CliRig:
    rig = CliRig(tmp_path)
    rig.settings_file.write_text(SETTINGS + "server: {webhooks_allow_private: true}\n", encoding="utf-8")
    assert rig.call("admin", "create-account", "acme").exit_code == 0
    return rig


def ask(rig: CliRig, *arguments: str, code: int = 0) -> dict[str, Any]:
    done = rig.call("admin", *arguments, "--account", "acme", "--json")
    assert done.exit_code == code, done.output
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def test_a_webhook_from_its_making_to_its_end(rig: CliRig) -> None:
    made = ask(rig, "create-webhook", "pager", URL, "--status", "Complete", "--status", "Failed")
    assert made["secret"].startswith("whsec_")
    [listed] = ask(rig, "list-webhooks")["webhooks"]
    assert listed == {name: value for name, value in made.items() if name != "secret"}
    rotated = ask(rig, "rotate-webhook-secret", "pager")
    assert rotated["secret"] != made["secret"]
    assert rotated["older_secret_until"]
    ask(rig, "disable-webhook", "pager")
    shown = rig.call("admin", "list-webhooks", "--account", "acme").stdout
    assert "disabled" in shown
    assert "Complete, Failed" in shown
    ask(rig, "enable-webhook", "pager")
    assert ask(rig, "webhook-deliveries", "pager") == {"deliveries": []}
    ask(rig, "delete-webhook", "pager")
    assert ask(rig, "list-webhooks") == {"webhooks": []}


def test_the_secret_stands_on_standard_output_and_the_remark_beside_it(rig: CliRig) -> None:
    done = rig.call("admin", "create-webhook", "pager", URL, "--account", "acme")
    assert "whsec_" in done.stdout
    assert "shown this once" not in done.stdout
    assert "shown this once" in done.stderr


def test_a_test_message_that_is_not_taken_is_no_success(rig: CliRig) -> None:
    ask(rig, "create-webhook", "pager", "http://127.0.0.1:1/")
    sent = ask(rig, "test-webhook", "pager", code=1)
    assert sent["is_taken"] is False
    assert sent["problem"].startswith("cannot connect to 127.0.0.1")


def test_what_is_wrong_is_told(rig: CliRig) -> None:
    wrong = rig.call("admin", "create-webhook", "pager", URL, "--account", "acme", "--status", "Done")
    assert wrong.exit_code == 2
    assert "'Done' is no status" in wrong.stderr
    wrong = rig.call("admin", "create-webhook", "a b", "ftp://x", "--account", "acme")
    assert wrong.exit_code == 2
    assert "name: it is no name" in wrong.stderr
    assert "url: is no address of a webhook" in wrong.stderr
    unknown = rig.call("admin", "redeliver-message", "pager", "7", "--account", "acme")
    assert unknown.exit_code == 2
    assert "there is no webhook 'pager'" in unknown.stderr
