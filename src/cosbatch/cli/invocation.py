"""What every verb shares: the shared options, where its jobs are, and how errors end."""

from __future__ import annotations

import asyncio
import functools
import os
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click
from click.core import ParameterSource

from cosbatch.cli import program
from cosbatch.cli.output import print_json
from cosbatch.model.errors import (
    CosbatchError,
    Fault,
    InvalidArgument,
    JobFailure,
    LedgerUnavailable,
    ManifestFaulty,
    RequestError,
    ServiceUnavailable,
    StorageError,
    StorageReason,
)

if TYPE_CHECKING:  # --help imports neither pydantic nor SQLAlchemy
    from cosbatch.cli.jobs_port import Checks, FollowUps, Jobs, Results
    from cosbatch.cli.wiring_port import Wiring
    from cosbatch.model.principals import Caller
    from cosbatch.settings import Settings
    from cosbatch.settings.profiles import ServiceLogin

Answer = TypeVar("Answer")

ALL_SHARED: Final = ("--log-level", "--json", "--data", "--config")
WITH_SERVICE: Final = (*ALL_SHARED, "--server", "--profile")
"""Of verbs that work here, or at a service over the network."""
WITH_ACCOUNT: Final = (*WITH_SERVICE, "--account")
"""Of verbs that look at jobs or change them, also those of a service, on this host or over the network."""
WITHOUT_JOBS: Final = ("--json", "--config")
"""Of verbs that only look at stores."""

EXIT_SUCCEEDED = 0
EXIT_NOT_ANSWERED = 1
EXIT_BAD_INPUT = 2
EXIT_TASKS_FAILED = 3
EXIT_JOB_FAILED = 4
EXIT_INTERRUPTED = 130


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a test puts in place of the real world."""

    wiring: Callable[[], Wiring]
    can_ask: bool
    """Somebody can answer a question."""
    is_live: bool
    """Standard error is a terminal that can be drawn on."""
    patience_seconds: float = 60.0
    """How long a run that has ended waits for its report."""


def real_surroundings() -> Surroundings:
    return Surroundings(wiring=_real_wiring, can_ask=sys.stdin.isatty(), is_live=sys.stderr.isatty())


def _real_wiring() -> Wiring:
    from cosbatch import wiring

    return wiring


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """One call of one verb."""

    surroundings: Surroundings
    config: Path | None
    state_folder: Path
    as_json: bool
    log_level: str
    account_name: str = ""
    """Empty: jobs that are run without a service."""
    server: str = ""
    profile: str = ""
    is_folder_named: bool = False
    """A data folder, an account or a settings file stands on the command line: nobody means another service then."""

    @property
    def login(self) -> ServiceLogin | None:
        """The service that is called over the network; None: jobs are in the data folder."""
        if self.is_folder_named:
            self._check_one_place()
            return None
        from cosbatch.settings.profiles import service_login

        return service_login(server=self.server, profile=self.profile, environ=os.environ)

    def _check_one_place(self) -> None:
        for path, value in (("--server", self.server), ("--profile", self.profile)):
            if value:
                problem = "names a service, and --data, --config or --account jobs on this host"
                fault = Fault(path=path, value=value, problem=problem, way_out="give one of them")
                raise InvalidArgument("nobody knows where to look for jobs", faults=[fault])

    def may_have_jobs(self) -> bool:
        """False where no job was ever made. Looking must not make a data folder."""
        return self.login is not None or self.wiring.has_jobs(self.state_folder)

    @asynccontextmanager
    async def open_jobs(self) -> AsyncIterator[Jobs]:
        """The jobs that are meant, wherever they are. NoSuchName where the account is none."""
        login = self.login
        if login is not None:
            from cosbatch.cli.remote_jobs import RemoteJobs, remote_client

            async with remote_client(login) as client:
                yield RemoteJobs(client)
            return
        from cosbatch.cli.embedded_jobs import EmbeddedJobs

        settings = self.settings()
        async with self.wiring.open_service(settings, self.state_folder, account=self.account_name) as service:
            yield EmbeddedJobs(service, caller=self.caller)

    @asynccontextmanager
    async def open_follow_ups(self) -> AsyncIterator[FollowUps]:
        """Retries, clones and deliveries, wherever the jobs are."""
        login = self.login
        if login is not None:
            from cosbatch.cli.remote_jobs import RemoteFollowUps, remote_client

            async with remote_client(login) as client:
                yield RemoteFollowUps(client)
            return
        from cosbatch.cli.embedded_jobs import EmbeddedFollowUps

        async with self.wiring.open_follow_up(self.settings(), self.state_folder) as desk:
            yield EmbeddedFollowUps(desk, caller=self.caller)

    @asynccontextmanager
    async def open_checks(self) -> AsyncIterator[Checks]:
        """Checks of jobs that are not made, by whoever would run them. NoSuchName where the account is none."""
        login = self.login
        if login is not None:
            from cosbatch.cli.remote_jobs import RemoteChecks, remote_client

            async with remote_client(login) as client:
                yield RemoteChecks(client)
            return
        from cosbatch.cli.embedded_jobs import EmbeddedChecks

        settings = self.settings()
        async with self.wiring.open_job_checks(settings, self.state_folder, account=self.account_name) as checks:
            yield EmbeddedChecks(checks.jobs, checks.follow_ups, caller=self.caller)

    @asynccontextmanager
    async def open_results(self) -> AsyncIterator[Results]:
        """What became of each task, wherever the jobs are."""
        login = self.login
        if login is not None:
            from cosbatch.cli.remote_jobs import RemoteResults, remote_client

            async with remote_client(login) as client:
                yield RemoteResults(client)
            return
        from cosbatch.cli.embedded_jobs import EmbeddedResults

        async with self.wiring.open_report_downloads(self.state_folder) as desk:
            yield EmbeddedResults(desk, caller=self.caller)

    def settings(self) -> Settings:
        from cosbatch.settings import load_settings

        return load_settings(self.config)

    @property
    def caller(self) -> Caller:
        """Who asks for jobs: whoever may use the data folder may do so in each of its accounts."""
        from cosbatch.cli.callers import caller_in

        return caller_in(self.account_name)

    @property
    def wiring(self) -> Wiring:
        return self.surroundings.wiring()


def verb(name: str, *, shared: Sequence[str] = ALL_SHARED) -> Callable[[Callable[..., int]], click.Command]:
    """Makes a command of a function that takes an :class:`Invocation` first and returns the exit code. ``shared`` names
    the shared options that mean something to it."""

    def make(function: Callable[..., int]) -> click.Command:
        @functools.wraps(function)
        def command(
            *,
            config: Path | None = None,
            state_folder: Path | None = None,
            as_json: bool = False,
            log_level: str = "info",
            account_name: str = "",
            server: str = "",
            server_profile: str = "",
            **arguments: Any,
        ) -> None:
            context = click.get_current_context()
            surroundings = context.find_object(Surroundings) or real_surroundings()
            invocation = Invocation(
                surroundings=surroundings,
                config=config,
                state_folder=state_folder or _default_state_folder(),
                as_json=as_json,
                log_level=log_level,
                account_name=account_name,
                server=server,
                profile=server_profile,
                is_folder_named=any(_is_on_command_line(context, name) for name in _OF_A_FOLDER),
            )
            context.exit(_guarded(lambda: function(invocation, **arguments), invocation=invocation))

        for option, decorate in _SHARED_OPTIONS.items():
            if option in shared:
                decorate(command)
        return click.command(name)(command)

    return make


_SHARED_OPTIONS = {
    "--account": click.option(
        "--account",
        "account_name",
        default="",
        metavar="NAME",
        help="Of this account of a service. Default: what was run without a service.",
    ),
    "--server": click.option(
        "--server",
        default="",
        metavar="URL",
        help="Of the service at this address. The API token comes from $COSBATCH_API_TOKEN.",
    ),
    "--profile": click.option(
        "--profile",
        "server_profile",
        default="",
        metavar="NAME",
        help="Of the service of this profile, from profiles.yaml.",
    ),
    "--log-level": click.option(
        "--log-level",
        type=click.Choice(["debug", "info", "warning", "error"]),
        default="info",
        show_default=True,
        help="What goes to cosbatch.log in the data folder.",
    ),
    "--json": click.option("--json", "as_json", is_flag=True, help="Answer in JSON, for machines."),
    "--data": click.option(
        "--data",
        "state_folder",
        type=click.Path(file_okay=False, path_type=Path),
        envvar="COSBATCH_DATA",
        help="Folder of jobs and their results. Default: the user's state folder.",
    ),
    "--config": click.option(
        "--config",
        type=click.Path(dir_okay=False, path_type=Path),
        help="Settings file. Default: $COSBATCH_CONFIG, ./cosbatch.yaml, the user's config folder.",
    ),
}


_OF_A_FOLDER: Final = ("state_folder", "config", "account_name")


def _is_on_command_line(context: click.Context, name: str) -> bool:
    return context.get_parameter_source(name) is ParameterSource.COMMANDLINE


def _default_state_folder() -> Path:
    import platformdirs

    return platformdirs.user_state_path("cosbatch")


def _guarded(call: Callable[[], int], *, invocation: Invocation) -> int:
    """The exit code; an error of our tree becomes one message, any other one is a fault of the program."""
    try:
        return call()
    except CosbatchError as raised:
        error = _cause_of(raised)
        if invocation.as_json:
            print_json({"error": _error_document(error)})
        else:
            click.echo(f"cosbatch: {error_text(error)}", err=True)
        return _exit_code_of(error)
    except (KeyboardInterrupt, click.Abort):
        return tell_interrupted("Interrupted.", as_json=invocation.as_json)
    except (click.ClickException, click.exceptions.Exit, BrokenPipeError):
        raise
    except Exception as error:  # the last guard: nobody is helped by a traceback on the screen
        from cosbatch.cli.internal_error import tell_internal_error

        tell_internal_error(error, invocation=invocation)
        return EXIT_NOT_ANSWERED


def tell_interrupted(text: str, *, as_json: bool) -> int:
    if as_json:
        print_json({"error": {"code": "Interrupted", "message": text, "faults": []}})
    else:
        click.echo(text, err=True)
    return EXIT_INTERRUPTED


def tell_usage_error(error: click.ClickException) -> int:
    """What was wrong with the arguments, as an error like any other, for machines."""
    hint = error.param_hint if isinstance(error, click.BadParameter) else None
    path = " ".join(hint) if isinstance(hint, tuple | list) else hint or ""
    message = error.format_message()
    fault = {"path": path, "value": "", "problem": message, "way_out": ""}
    print_json({"error": {"code": "InvalidArgument", "message": message, "faults": [fault]}})
    return error.exit_code


def _exit_code_of(error: CosbatchError) -> int:
    match error:
        case RequestError() | ManifestFaulty() | JobFailure():
            return EXIT_BAD_INPUT  # no job was made yet: one that fails is a status, not an error
        case StorageError() if _is_no(error):
            return EXIT_BAD_INPUT
        case _:
            return EXIT_NOT_ANSWERED


def _cause_of(error: CosbatchError) -> CosbatchError:
    """Who runs the program has the ledger at hand, and is told what is wrong with it."""
    cause = error.__cause__
    return cause if isinstance(error, ServiceUnavailable) and isinstance(cause, LedgerUnavailable) else error


def _is_no(error: StorageError) -> bool:
    """Whether the store has looked and said no, which another try would not change."""
    from cosbatch.storage.disposition import Action, Blame, blame, disposition

    is_refused = disposition(error, writes=False).action in (Action.FAIL_TASK, Action.FAIL_JOB)
    is_identity = error.reason is StorageReason.CREDENTIALS_REFUSED or blame(error) is Blame.IDENTITY
    return is_refused or is_identity


def error_text(error: CosbatchError) -> str:
    """The message, then one line for each fault."""
    match error:
        case ManifestFaulty():
            more = ["  ... and more"] if error.more else []
            return "\n".join(["the manifest cannot be used", *(f"  {fault}" for fault in error.faults), *more])
        case JobFailure():
            return "\n".join([str(error), *(f"  {fault}" for fault in error.faults)])
        case _:
            return str(error)


def _error_document(error: CosbatchError) -> dict[str, Any]:
    faults: tuple[Fault, ...] = getattr(error, "faults", ())
    return {
        "code": str(getattr(error, "code", getattr(error, "failure_code", type(error).__name__))),
        "message": getattr(error, "message", str(error)),
        "faults": [
            {"path": fault.path, "value": fault.value, "problem": fault.problem, "way_out": fault.way_out}
            for fault in faults
        ],
    }


def run_async(work: Coroutine[Any, Any, Answer]) -> Answer:
    """Runs on uvloop where it is installed: the engine's hot path is made for it."""
    program.imported()
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(work)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop
