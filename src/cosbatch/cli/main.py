"""``cosbatch``: the list of verbs. Each verb's module is imported when it is called, so that ``--help`` stays quick."""

from __future__ import annotations

import importlib
import io
import itertools
import sys
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import click

from cosbatch.cli import program


class Verb(NamedTuple):
    """Where a verb is, and its line in the help."""

    place: str
    """``module:command``, below ``cosbatch.cli``."""
    summary: str


VERBS: Final[dict[str, Verb]] = {
    "run": Verb("run:run", "Run the job of a file from start to end, or go on with it."),
    "create-job": Verb("create_job:create_job", "Make the job of a file and leave it to the service."),
    "estimate": Verb("estimate:estimate", "Show what a job would come to: objects, bytes, requests, duration, cost."),
    "check-job": Verb(
        "check_job:check_job", "Check the job of a file before it is made: its stores, and what it costs."
    ),
    "serve": Verb("serve:serve", "Run the service: the API, the engine and its workers, in one program."),
    "init": Verb("init:init", "Write a commented settings file to begin with."),
    "list-jobs": Verb("list_jobs:list_jobs", "List jobs, newest first."),
    "describe-job": Verb("describe_job:describe_job", "Show a job: progress, failures, settings, events."),
    "update-job-status": Verb("update_job_status:update_job_status", "Confirm or cancel a job."),
    "confirm": Verb("update_job_status:confirm", "Confirm a suspended job (update-job-status --to Ready)."),
    "cancel": Verb("update_job_status:cancel", "Cancel a job (update-job-status --to Cancelled)."),
    "pause-job": Verb("pause_job:pause_job", "Pause an active job until it is resumed."),
    "pause": Verb("pause_job:pause_job", "Short for pause-job."),
    "resume-job": Verb("resume_job:resume_job", "Resume a job that was paused."),
    "resume": Verb("resume_job:resume_job", "Short for resume-job."),
    "update-job-priority": Verb("update_job_priority:update_job_priority", "Change a job's priority."),
    "delete-job": Verb("delete_job:delete_job", "Delete the records of a job that has ended."),
    "retry-failed": Verb("retry_failed:retry_failed", "Make a job of what has failed in one that has ended."),
    "clone-job": Verb("clone_job:clone_job", "Make a job that asks for what another one has asked for."),
    "redeliver-report": Verb("redeliver_report:redeliver_report", "Deliver the report of a job once more."),
    "report": Verb("report:report", "Print what became of each task of a job, or a summary."),
    "demo": Verb(
        "demo.command:demo",
        "A copy job over an inventory on an embedded store, and its report held against the bucket.",
    ),
    "demo-console": Verb(
        "demo.console:demo_console",
        "The service with a store beside it and jobs in every state, to look at until Ctrl-C.",
    ),
    "job-template": Verb("job_template:job_template", "Print a commented job file to begin with."),
    "admin": Verb(
        "admin.group:admin",
        "Accounts, users, keys, tokens, regions, roles, webhooks, the audit log, and the ledger's file.",
    ),
    "manifest": Verb("manifest:manifest", "Look at manifests."),
    "store": Verb("store:store", "Look at stores."),
}


class LazyVerbs(click.Group):
    """A group that knows its commands by name and summary alone."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        verb = VERBS.get(cmd_name)
        if verb is None:
            return None
        module, _, name = verb.place.partition(":")
        command: click.Command = getattr(importlib.import_module(f"cosbatch.cli.{module}"), name)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """A Ctrl-C ends every verb with the same code, also while its module is imported."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            from cosbatch.cli.invocation import EXIT_INTERRUPTED

            ctx.exit(EXIT_INTERRUPTED)

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        """With ``--json`` also what is wrong with the arguments is told as JSON, on standard output."""
        arguments = list(sys.argv[1:] if args is None else args)
        if not standalone_mode or "--json" not in itertools.takewhile(lambda word: word != "--", arguments):
            return super().main(args, prog_name, complete_var, standalone_mode, **extra)
        from cosbatch.cli.invocation import tell_interrupted, tell_usage_error

        try:
            code = super().main(args, prog_name, complete_var, standalone_mode=False, **extra)
        except click.ClickException as error:
            code = tell_usage_error(error)
        except click.Abort:
            code = tell_interrupted("Interrupted.", as_json=True)
        sys.exit(code or 0)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, verb.summary) for name, verb in VERBS.items()])


@click.group(cls=LazyVerbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="cosbatch")
def cli() -> None:
    """One operation on every object of a list, in any S3-compatible store or Tencent COS, and a report of each.

    Exit codes: 0 all succeeded, 1 a store or the work area did not answer, or an internal error, 2 bad input,
    3 finished with failed tasks, 4 the job failed or was cancelled, 130 interrupted.
    """


def main() -> None:
    if isinstance(sys.stdout, io.TextIOWrapper):
        # Keys are in every script: what the terminal cannot show is shown as an escape.
        sys.stdout.reconfigure(errors="backslashreplace")
    program.begin()
    try:
        cli(prog_name="cosbatch")
    except SystemExit as ended:
        program.end(ended.code)
        raise
