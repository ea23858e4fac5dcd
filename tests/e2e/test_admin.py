"""The installed ``cosbatch admin``, as an operator calls it; and where its secrets are, and are not."""

from __future__ import annotations

import json
import os
import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from cosbatch.engine.liveness import LockFiles
from cosbatch.identity.ciphers import Cipher
from cosbatch.identity.key_sources import load_key_ring
from cosbatch.identity.passwords import Passwords
from cosbatch.ledger.sql_people import open_sqlite_people
from cosbatch.model.clock import SystemClock
from cosbatch.model.identifiers import new_worker_id
from cosbatch.service.founding import FIRST_RUN_FILE, FirstRunFile, bootstrap
from cosbatch.service.sign_in import SignIn
from tests.e2e.program import PROGRAM

pytestmark = pytest.mark.timeout(600)  # each call starts the program
SETTINGS = "workers: 1\n"


@dataclass
class Operator:
    """Calls the program on one data folder, and keeps all that it prints."""

    folder: Path
    printed: list[str] = field(default_factory=list)

    def call(self, *arguments: str, typed: str = "", code: int = 0) -> str:
        """Standard output; the exit code has to be ``code``."""
        config = self.folder / "cosbatch.yaml"
        config.write_text(SETTINGS)
        places = ["--data", str(self.folder / "state")]
        places += [] if arguments[0] in ("backup", "restore") else ["--config", str(config)]
        done = subprocess.run(
            [PROGRAM, "admin", *arguments, *places], input=typed, capture_output=True, text=True, check=False
        )
        self.printed.append(done.stdout + done.stderr)
        assert done.returncode == code, self.printed[-1]
        return done.stdout

    def ask(self, *arguments: str, typed: str = "", code: int = 0) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self.call(*arguments, "--json", typed=typed, code=code))
        return answer

    @property
    def state(self) -> Path:
        return self.folder / "state"

    def stored(self) -> bytes:
        """All that is in the data folder, the encryption key aside."""
        files = [path for path in self.state.rglob("*") if path.is_file() and path.name != "encryption.key"]
        return b"".join(path.read_bytes() for path in files)

    async def enters(self, *, user: str, password: str) -> None:
        book = await open_sqlite_people(self.state)
        await self._sign_in(book).log_in(user=user, password=password, address="192.0.2.1")
        await book.close()

    async def secret_of(self, access_key_id: str) -> str | None:
        book = await open_sqlite_people(self.state)
        found = await self._sign_in(book).signing_key(access_key_id)
        await book.close()
        return found.secret_access_key if found else None

    def _sign_in(self, book: Any) -> SignIn:
        return SignIn(
            book,
            cipher=Cipher(load_key_ring(self.state)),
            passwords=Passwords(),
            clock=SystemClock(),
            forget_first_run=FirstRunFile(self.state).forget,
        )


@pytest.fixture
def operator(tmp_path: Path) -> Operator:
    return Operator(tmp_path)


async def test_from_nothing_to_people_who_can_come_in(operator: Operator) -> None:
    account = operator.ask("create-account", "acme", "--uin", "100000000042")
    assert (account["name"], account["uin"]) == ("acme", "100000000042")
    anna = operator.ask("create-user", "anna", "--role", "admin")
    key = operator.ask("create-access-key", "anna", "--description", "nightly")
    await operator.enters(user="anna", password=anna["password"])
    assert await operator.secret_of(key["access_key_id"]) == key["secret_access_key"]
    operator.call("create-user", "arno", "--password-stdin", typed="four words in a row\n")
    await operator.enters(user="arno", password="four words in a row")
    assert [user["name"] for user in operator.ask("list-users", "--account", "acme")["users"]] == ["anna", "arno"]
    assert re.search(r"^anna +acme +admin +enabled, must change password", operator.call("list-users"), re.MULTILINE)
    assert re.search(r"^acme +100000000042", operator.call("list-accounts"), re.MULTILINE)
    assert re.search(rf"^{key['access_key_id']} +anna .* nightly$", operator.call("list-access-keys"), re.MULTILINE)

    operator.call("disable-account", "acme")
    assert await operator.secret_of(key["access_key_id"]) is None
    assert re.search(r"^acme .* disabled ", operator.call("list-accounts"), re.MULTILINE)
    assert operator.ask("enable-account", "acme")["is_disabled"] is False
    assert await operator.secret_of(key["access_key_id"]) == key["secret_access_key"]
    operator.call("disable-access-key", key["access_key_id"])
    assert await operator.secret_of(key["access_key_id"]) is None
    operator.call("enable-access-key", key["access_key_id"])
    operator.call("disable-user", "anna")
    assert await operator.secret_of(key["access_key_id"]) is None
    operator.call("enable-user", "anna")
    assert await operator.secret_of(key["access_key_id"]) == key["secret_access_key"]
    only = operator.ask("audit", "--action", "create-user", "--target", "anna", "--outcome", "done")["audit"]
    assert [(line["action"], line["target"]) for line in only] == [("create-user", "anna")]
    told = operator.ask("audit", "--account", "acme", "--limit", "2")["audit"]
    assert [(line["action"], line["target"], line["outcome"]) for line in told] == [
        ("enable-user", "anna", "done"),
        ("disable-user", "anna", "done"),
    ]
    older = operator.ask("audit", "--before", str(told[-1]["id"]), "--limit", "1")["audit"]
    assert [line["action"] for line in older] == ["enable-access-key"]


def test_what_cannot_be_done_is_told_with_the_way_out(operator: Operator) -> None:
    operator.call("list-users", code=2)
    assert "there is no ledger in it" in operator.printed[-1]
    assert not operator.state.exists()
    operator.call("create-account", "acme")
    operator.call("create-account", "acme", code=2)
    assert "take another" in operator.printed[-1]
    fault = operator.ask("create-user", "a/b", code=2)["error"]["faults"][0]
    assert (fault["path"], fault["value"]) == ("name", "a/b")
    operator.call("create-user", "anna", "--password-stdin", typed="", code=2)
    operator.call("create-user", "anna", "--password-stdin", typed="short\n", code=2)
    assert "12 characters" in operator.printed[-1]
    operator.call("create-token", "anna", code=2)
    operator.call("reset-password", "nobody", code=2)
    assert operator.ask("audit")["audit"][0]["outcome"] == "refused"
    assert operator.call("list-users") == "No users.\n"


async def test_the_first_password_is_reset_and_the_note_is_gone(operator: Operator) -> None:
    book = await open_sqlite_people(operator.state)
    cipher = Cipher(load_key_ring(operator.state, may_make=True))
    first = await bootstrap(book, cipher=cipher, passwords=Passwords(), clock=SystemClock())
    await book.close()
    assert first is not None
    note = operator.state / FIRST_RUN_FILE
    note.write_text(json.dumps({"user": first.user, "password": first.password}))
    answer = operator.ask("reset-password", first.user)
    assert not note.exists()
    await operator.enters(user=first.user, password=answer["password"])
    assert await operator.secret_of(first.secret_id) == first.secret_key


async def test_the_key_is_rotated_and_every_secret_still_opens(operator: Operator) -> None:
    operator.call("create-account", "acme")
    operator.call("create-user", "anna")
    key = operator.ask("create-access-key", "anna")
    before = (operator.state / "encryption.key").read_text()
    done = operator.ask("rotate-key")
    assert (done["secrets"], done["drops_older"]) == (1, True)
    after = (operator.state / "encryption.key").read_text()
    assert before.splitlines()[-1] not in after
    assert await operator.secret_of(key["access_key_id"]) == key["secret_access_key"]
    with LockFiles(operator.state / "processes").hold(new_worker_id("worker")):
        operator.call("rotate-key", code=2)
    assert "cosbatch works on it: worker-" in operator.printed[-1]
    assert (operator.state / "encryption.key").read_text() == after


def test_a_lost_key_is_not_replaced(operator: Operator) -> None:
    operator.call("create-account", "acme")
    operator.call("create-user", "anna")
    operator.call("create-access-key", "anna")
    (operator.state / "encryption.key").unlink()
    operator.call("create-access-key", "anna", code=2)
    assert "put the file back from a copy" in operator.printed[-1]
    assert not (operator.state / "encryption.key").exists()
    operator.call("list-access-keys")


async def test_backup_and_restore(operator: Operator) -> None:
    saved = operator.folder / "saved.db"
    operator.call("create-account", "acme")
    anna = operator.ask("create-user", "anna")
    with LockFiles(operator.state / "processes").hold(new_worker_id("worker")):
        assert operator.ask("backup", str(saved))["size_bytes"] == saved.stat().st_size
    operator.call("backup", str(saved), code=2)
    operator.call("disable-user", "anna")
    operator.call("restore", str(saved), code=2)
    with LockFiles(operator.state / "processes").hold(new_worker_id("worker")):
        operator.call("restore", str(saved), "--force", code=2)
    assert "cosbatch works on it" in operator.printed[-1]
    answer = operator.ask("restore", str(saved), "--force")
    assert Path(answer["replaced"]).exists()
    assert not operator.ask("list-users")["users"][0]["is_disabled"]
    operator.call("create-access-key", "anna")
    await operator.enters(user="anna", password=anna["password"])


def test_every_secret_is_shown_once_and_stands_nowhere(operator: Operator) -> None:
    """The whole data folder, its backup, and every printed line."""
    typed = "four words in a row"
    operator.call("create-account", "acme")
    secrets = [
        operator.ask("create-user", "anna", "--role", "admin")["password"],
        operator.ask("reset-password", "anna")["password"],
        operator.ask("create-access-key", "anna")["secret_access_key"],
        operator.ask("create-token", "anna", "--scope", "jobs:read", "--scope", "admin", "--days", "3")["token"],
    ]
    shown = operator.call("create-access-key", "anna")
    secrets.append(shown.split("SecretKey")[1].split()[0])
    shown = operator.call("create-token", "anna", "--scope", "jobs:write")
    secrets.append(shown.split("Token")[1].split()[0])
    operator.call("create-user", "arno", "--password-stdin", typed=f"{typed}\n")
    [first, second] = operator.ask("list-tokens")["tokens"]
    assert operator.ask("revoke-token", secrets[3])["id"] == first["id"]
    operator.call("disable-access-key", secrets[2], code=2)
    operator.call("revoke-token", f"{secrets[3]}x", code=2)
    for verb in ("list-users", "list-access-keys", "list-tokens", "audit", "rotate-key"):
        operator.call(verb)
    operator.ask("list-access-keys")
    operator.ask("audit")
    operator.call("create-user", "arno", "--password-stdin", typed=f"{typed}\n", code=2)
    operator.call("backup", str(operator.folder / "saved.db"))

    assert second["id"]
    assert all(len(secret) >= 20 for secret in secrets)
    assert [sum(secret in text for text in operator.printed) for secret in secrets] == [1] * len(secrets)
    assert not [text for text in operator.printed if typed in text]
    stored = operator.stored() + (operator.folder / "saved.db").read_bytes()
    assert not [secret for secret in [*secrets, typed] if secret.encode() in stored]
    key = (operator.state / "encryption.key").read_text().splitlines()[-1]
    assert key.encode() not in stored
    assert not [text for text in operator.printed if key in text]
    modes = {path.name: oct(path.stat().st_mode & 0o777) for path in operator.state.iterdir() if path.is_file()}
    assert set(modes.values()) == {"0o600"}, modes


def test_help_needs_no_library_of_a_service() -> None:
    heavy = "{'cryptography', 'argon2', 'sqlalchemy', 'pydantic', 'starlette'}"
    program = (
        "import sys\n"
        "from cosbatch.cli.main import cli\n"
        "cli(['admin', 'create-user', '--help'], prog_name='cosbatch', standalone_mode=False)\n"
        f"sys.exit(str({heavy} & set(sys.modules)) if {heavy} & set(sys.modules) else 0)\n"
    )
    done = subprocess.run(
        [PROGRAM.parent / "python", "-c", program], capture_output=True, text=True, env=dict(os.environ), check=False
    )
    assert done.returncode == 0, done.stderr


def test_regions_are_made_shown_changed_and_deleted(operator: Operator) -> None:
    operator.call("list-regions", code=2)
    assert "there is no ledger in it" in operator.printed[-1]
    made = operator.ask(
        *("create-region", "home", "--endpoint", "http://127.0.0.1:9000/", "--profile", "minio"),
        *("--profile-override", "sse-aes256=refused", "--storage-class", "A", "--storage-class", "B"),
        *("--requests-per-second", "12.5"),
    )
    assert (made["endpoint"], made["profile"], made["is_declared"]) == ("http://127.0.0.1:9000", "minio", False)
    assert (made["profile_overrides"], made["storage_classes"]) == ({"sse-aes256": "refused"}, ["A", "B"])
    assert made["requests_per_second"] == 12.5
    operator.call("create-region", "home", "--provider", "cos", code=2)
    assert "take another name" in operator.printed[-1]
    refused = operator.ask("create-region", "a/b", "--profile", "mino", code=2)["error"]["faults"]
    assert [fault["path"] for fault in refused] == ["name", "endpoint", "profile"]
    operator.call("update-region", "home", "--profile-override", "sse", code=2)
    assert "'sse' is no OPTION=SUPPORT" in operator.printed[-1]
    operator.call("update-region", "home", "--unset", "profile_overrides", "--max-connections", "9")
    shown = operator.call("describe-region", "home")
    assert re.search(r"^Connections +9$", shown, re.MULTILINE)
    assert "overrides" not in shown
    assert re.search(
        r"^home +s3 +http://127.0.0.1:9000 +minio +ledger +20", operator.call("list-regions"), re.MULTILINE
    )
    assert operator.call("delete-region", "home") == "Region home is deleted\n"
    assert operator.call("list-regions") == "No regions.\n"
    told = operator.ask("audit")["audit"]
    assert [(line["action"], line["outcome"]) for line in told] == [
        ("delete-region", "done"),
        ("update-region", "done"),
        ("create-region", "refused"),
        ("create-region", "refused"),
        ("create-region", "done"),
    ]
