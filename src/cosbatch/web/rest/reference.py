"""The reference page of the API, as Markdown, from its calls and its OpenAPI document."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cosbatch.web.rest.app import all_calls, bare_app
from cosbatch.web.rest.calls import PREFIX, Access, Call
from cosbatch.web.rest.errors import ERROR_CODES

_WHO = {Access.OPEN: "anybody", Access.OWN: "whoever is known"}


def render_document(version: str) -> str:
    """The OpenAPI document as a file."""
    return json.dumps(bare_app(all_calls(), version=version).openapi(), indent=1, ensure_ascii=False) + "\n"


def render_reference() -> str:
    """A table of all calls, a section for each, and the table of error codes."""
    calls = all_calls()
    document = bare_app(calls, version="").openapi()
    shown: list[tuple[str, Any]] = []
    return "\n".join(
        [
            *_table(calls),
            *_statuses(document),
            *(line for call in calls for line in _section(call, document, shown)),
            *_codes(),
        ]
    )


def _table(calls: Sequence[Call]) -> Iterator[str]:
    yield "## All calls\n"
    yield "| Call | Operation | Who may | |\n|---|---|---|---|"
    for call in calls:
        link = f"[`{call.operation_id}`](#{call.operation_id})"
        yield f"| `{call.method} {call.path}` | {link} | {_who(call)} | {call.summary} |"
    yield ""


def _who(call: Call) -> str:
    return _WHO.get(call.access, call.access.value)


def _statuses(document: Mapping[str, Any]) -> Iterator[str]:
    yield "## Statuses of refusals\n"
    yield "| Status | Meaning, where the call says nothing else |\n|---|---|"
    for name, written in document["components"]["responses"].items():
        yield f"| {name.removeprefix('Refused')} | {written['description']} |"
    yield ""


def _section(call: Call, document: Mapping[str, Any], shown: list[tuple[str, Any]]) -> Iterator[str]:
    """``shown`` has the examples that stand on the page already, with the calls where they do."""
    operation = document["paths"][call.path][call.method.lower()]
    yield f"## {call.operation_id}\n"
    yield f"`{call.method} {PREFIX}{call.path}`, for {_who(call)}: {_lower(call.summary)}.\n"
    yield f"{operation['description']}\n"
    yield from _parameters(operation.get("parameters", ()))
    if call.asked is not None:
        yield from _example("Body", call.asked, call, shown)
    yield from _answers(operation["responses"])
    if call.example is not None and call.shape is not None:
        yield from _example("Answer", call.example, call, shown)


def _lower(text: str) -> str:
    return text[0].lower() + text[1:]


def _parameters(parameters: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if not parameters:
        return
    yield "| Parameter | In | |\n|---|---|---|"
    for parameter in parameters:
        needed = "" if parameter["required"] else "optional. "
        yield f"| `{parameter['name']}` | {parameter['in']} | {needed}{parameter.get('description', '')} |"
    yield ""


def _answers(answers: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """What is special is told; what all calls of the kind have, by number alone."""
    special = {status: found["description"].rstrip(".") for status, found in answers.items() if "$ref" not in found}
    told = [f"{status} ({_lower(description)})" for status, description in special.items()]
    usual = [status for status in answers if status not in special]
    yield f"Answers: {', '.join(told)}. Refusals: {', '.join(usual)}.\n"


def _example(kind: str, example: Any, call: Call, shown: list[tuple[str, Any]]) -> Iterator[str]:
    before = next((name for name, known in shown if known == example), "")
    if before:
        yield f"{kind}: like that of [`{before}`](#{before}).\n"
        return
    shown.append((call.operation_id, example))
    yield f"{kind}:\n"
    yield f"```json\n{json.dumps(example, indent=2, ensure_ascii=False)}\n```\n"


def _codes() -> Iterator[str]:
    yield "## Error codes of the API\n"
    yield "| Code | Status | Meaning |\n|---|---|---|"
    for code, text in sorted(ERROR_CODES.items()):
        status, _, meaning = text.partition(": ")
        yield f"| `{code}` | {status} | {meaning} |"
    yield ""
