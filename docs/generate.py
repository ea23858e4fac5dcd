"""Writes the pages that are made from the code: ``python docs/generate.py``. A test holds each of them against it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import click

from cosbatch import __version__
from cosbatch.cli.main import cli
from cosbatch.model.states import FINAL, MOVES, Actor, JobStatus
from cosbatch.operations.copy_costs import render_cost_table
from cosbatch.settings import ENVIRONMENT_PREFIX, FILE_NAME, render_settings_table
from cosbatch.web.metrics import render_metrics_table
from cosbatch.web.rest.reference import render_document, render_reference

DOCS: Final = Path(__file__).parent
HELP_WIDTH: Final = 96


# --- settings

_SETTINGS_PAGE: Final = f"""# Settings

Settings come from a YAML file and from the environment. The file is the first of these that exists:

1. the file that `--config` names,
2. the file that the variable `COSBATCH_CONFIG` names,
3. `{FILE_NAME}` in the current folder,
4. `{FILE_NAME}` in the user's configuration folder (`~/.config/cosbatch/` on Linux).

A file that is named and not there is an error. Without any file the defaults hold and there are no regions.

Each setting of the first level can also be given as a variable `{ENVIRONMENT_PREFIX}<NAME>`, for example
`COSBATCH_WORKERS=4`. The environment wins over the file. `COSBATCH_REGIONS` takes the whole region table as JSON.

All faults of a file are told at once, each with its line. A field that is not known is a fault. Paths in the file
(`ca_file`, `file:PATH`) are meant from the folder of the file.

A credential is `env:NAME` (an environment variable) or `file:PATH` (a file). A secret that stands in the file itself is
refused, and no message shows it, nor the value of a field that is not known.

A `ca_file` is read when the settings are: one that is missing, or has no certificate, is a fault.

`NAME` below is the region's name: letters, digits, dots and hyphens, 64 at most. Job files name it.

"""


def render_settings() -> str:
    return _SETTINGS_PAGE + render_settings_table()


# --- command line

_CLI_PAGE: Final = """# Command line

The help texts of the program. Exit codes are explained in [Error codes](error-codes.md#exit-codes).

Progress, questions and remarks go to standard error. The result goes to standard output: text, or one line of JSON with
`--json`. `COSBATCH_DATA` stands in for `--data`, `COSBATCH_CONFIG` for `--config`.
"""


def render_cli() -> str:
    return _CLI_PAGE + "".join(_help_sections(cli, name="cosbatch", parent=None))


def _help_sections(command: click.Command, *, name: str, parent: click.Context | None) -> Iterator[str]:
    context = click.Context(
        command, info_name=name, parent=parent, **{**command.context_settings, "terminal_width": HELP_WIDTH}
    )
    yield f"\n## {context.command_path}\n\n```text\n{command.get_help(context)}\n```\n"
    if isinstance(command, click.Group):
        for verb in command.list_commands(context):
            found = command.get_command(context, verb)
            assert found is not None, f"{verb} is listed and not there"
            yield from _help_sections(found, name=verb, parent=context)


# --- states

_STATES_PAGE: Final = """# States of a job

Every move that a job can make. Nothing else moves it, and what has ended never moves again. Each move is written to the
job's events with its time, who made it (the engine, or which user and by which way) and why; `cosbatch describe-job`
lists them. What each status means is in the [glossary](../glossary.md#statuses).

| From | To | By |
|---|---|---|
"""

_STATES_REMARKS: Final = """
What a user asks for, and the move that it is:

| Command | Move |
|---|---|
| `cosbatch confirm` | Suspended to Ready |
| `cosbatch pause` | Active to Pausing; the engine moves on to Paused |
| `cosbatch resume` | Paused to Active, if a user paused the job |
| `cosbatch cancel` | any status with a move to Cancelling; the engine moves on to Cancelled |

A command that is not possible in the present status fails, and says what is possible.

## What moves a job by itself

| Move | When |
|---|---|
| Preparing to Suspended | the plan is complete, and the job asks for a confirmation; cause and date are shown |
| Suspended to Failing | nobody has confirmed it for `suspended_expiry_days`: `SuspendedExpired` |
| Ready to Active | no job of a greater priority in its queue needs workers |
| Active to Pausing | one does: it is pre-empted, and names that job |
| Paused to Active | no such job is left, and it was not a user who paused it |
| Active to Completing | every task has a result |

A queue is the jobs of one account in one region. Inside a queue the greatest priority runs, as it is at that moment.
Queues know nothing of each other and are served in turn. A job holds lower ones back only while it has chunks that
nobody has claimed, and its bucket answers and has some of its rate left; so not when it has ended, waits for its
confirmation, or is paused by its user. What is held back says by which job, in its status reason and in its events.

## The end of a job's records

A job that has ended is removed after `retention_days`, or when it is deleted (`cosbatch delete-job`). One whose report
is not delivered yet waits until it is, or has failed. From then on the job does not exist: it is in no list, and its
ClientRequestToken may be used anew. Its results and rows are cleared away step by step while an engine runs. Reports
in buckets stay.
"""


def render_states() -> str:
    return _STATES_PAGE + "".join(_rows_from(status) for status in JobStatus) + _STATES_REMARKS


def _rows_from(status: JobStatus) -> str:
    if status in FINAL:
        return f"| {status} | none: final | |\n"
    return "".join(f"| {status} | {to} | {_names(actors)} |\n" for to, actors in MOVES[status].items())


def _names(actors: frozenset[Actor]) -> str:
    return " or ".join(actor.value for actor in Actor if actor in actors)


# --- metrics

_METRICS_PAGE: Final = """# Metrics

What `/metrics` of a service shows, in Prometheus's text format or as OpenMetrics. Metrics *of all services* come from
the ledger: every service of a data folder shows the same, a census at most 5 seconds old. Those *of this service* are
its own.

Sums over jobs are gauges: a job that is removed after its retention takes its share away. Alert rules to begin with are
in `deploy/prometheus/alerts.yaml`; what to do about them is in the
[operator's guide](../operators-guide.md#metrics-and-alerts).

"""


def render_metrics() -> str:
    return _METRICS_PAGE + render_metrics_table()


# --- JSON API

_REST_PAGE: Final = """# JSON API

Everything that a service can do, as JSON below `/api/v1`. The same as an OpenAPI 3.1 document: `GET
/api/v1/openapi.json` of a running service, or [openapi.json](openapi.json) of this version.

## How to call it

**Who calls.** Scripts send an API token, which `cosbatch admin create-token` makes: `authorization: Bearer cosb_...`.
It may do what its user may, and no more than its scopes let: `jobs:read` looks, `jobs:write` also changes jobs, `admin`
also changes people and what jobs act with. Pages in a browser log in ([log_in](#log_in)) and get a session: a cookie
that no script can read, and a CSRF token that each write sends as `x-csrf-token`. A write of a session has to come from
the service's own pages.

```sh
curl -H "authorization: Bearer $COSBATCH_TOKEN" http://127.0.0.1:8014/api/v1/session
```

**Bodies** are JSON in UTF-8, with `content-type: application/json`, at most 512 KiB long and 32 levels deep. A field or
parameter that is not known is a fault. Fields have the names that job files have.

**Times** are RFC 3339 in UTC with milliseconds, `2026-11-26T08:00:00.000Z`; sizes are bytes.

**Lists** come in pages: `items`, and a `next_cursor` to send as `cursor` for the next page, null at the end. `limit` is
how many a page may have, 50 without it and at most 1,000.

**Reads** have an `etag`. Sent back as `if-none-match` it gets 304 and no body for as long as nothing has changed.

**Lost answers.** A job can be created again under the same `client_request_token` (or `Idempotency-Key` header): the
answer is then 200 with the job that was made, and 409 where the token belongs to another request.

**Refusals** all have one shape. `code` is one of the [list below](#error-codes-of-the-api); `faults` names each field
that is wrong, what stands there, what is wrong with it and the way out; `request_id` finds the call in the service's
log. Another account's things are answered like those that do not exist.

```json
{
  "error": {
    "code": "InvalidArgument",
    "message": "the priority cannot be set",
    "request_id": "923cbfc5a82e46eecf31e214",
    "faults": [
      {"path": "priority", "value": "-1", "problem": "is out of range", "way_out": "write 0 to 2147483647"}
    ]
  }
}
```

**Limits.** One session or token may make `server.calls_per_minute` calls a minute, one address
`server.logins_per_minute` logins. Whoever makes more gets 429 with `retry-after` in seconds, which 503 has too.

"""


def render_rest() -> str:
    return _REST_PAGE + render_reference()


def render_openapi() -> str:
    return render_document(__version__)


# --- all of them

PAGES: Final[dict[str, Callable[[], str]]] = {
    "copy-costs.md": render_cost_table,
    "reference/cli.md": render_cli,
    "reference/metrics.md": render_metrics,
    "reference/openapi.json": render_openapi,
    "reference/rest.md": render_rest,
    "reference/settings.md": render_settings,
    "reference/states.md": render_states,
}
"""Path below ``docs/`` -> what it holds."""


def main() -> None:
    for name, render in PAGES.items():
        (DOCS / name).write_text(render(), encoding="utf-8")


if __name__ == "__main__":
    main()
