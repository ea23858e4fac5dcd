"""Reads from the source what the service says of its own: each sentence, with a number where it puts a value in.

The console says them in other languages by what they are in English, so that nothing else than the sentence has to be
kept, also where it stands in the ledger. What is said has to be readable here: written where it is passed on, or in a
name of the same function.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final

from tests.spoken_source import ARGUMENTS, KEYWORDS, PLACE, Function, Names, Reader, Unread, joined, name_of

SOURCE: Final = Path(__file__).parent.parent / "src" / "cosbatch"
ROOMS: Final = ("model", "operations", "manifests", "service", "identity", "engine", "ledger", "web")
"""Who speaks to the console."""
SILENT: Final = frozenset(
    {
        "engine/chunker.py",
        "identity/ciphers.py",
        "identity/cos_v5.py",
        "identity/key_sources.py",
        "identity/sigv4.py",
        "identity/webhook_secrets.py",
        "ledger/backup.py",
        "ledger/migrate.py",
        "model/bitmap.py",
        "service/documents.py",
        "service/founding.py",
        "service/key_rotation.py",
        "web/app.py",
        "web/bodies.py",
        "web/calls.py",
        "web/cos.py",
        "web/cos_gate.py",
        "web/listener.py",
        "web/operators.py",
        "web/rest/bodies.py",
    }
)
"""What they say is for the command line, COS's own wire and the operator's port."""
ALSO: Final = (
    "storage/guarded_post.py",
    "storage/http_connector.py",
    "storage/patience.py",
    "storage/public_addresses.py",
    "wire/webhook_messages.py",
)
"""Of other rooms what they say themselves where nobody else has answered."""
APART: Final = (
    " (it is {0})",
    "(role)",
    "(work area)",
    "and {0} more",
    "confirm_delete_count is missing: a deletion says how many objects it may delete at most",
    "delivered: {0}",
    "failed",
    "failed: {0}",
    "job {0} is {1}: the engine cannot move it to {2} now",
    "job {0} is {1}: the user cannot move it to {2} now",
    "job {0}, which is {1}",
    "manifest read",
    "may",
    "may not",
    "not tested",
    "passed",
    "report write",
    "role admin",
    "role operator",
    "role viewer",
    "source read",
    "the job has one fault",
    "target write",
    "the region cannot be changed",
    "the region cannot be deleted",
    "the region cannot be made another store",
    "the region {0} is declared in the settings and cannot be changed here; do it there",
    "the region {0} is declared in the settings and cannot be deleted here; do it there",
    "there is another user {0}; take another name",
    "there is no account {0}",
    "too many calls: {0} a minute are let in; try again in {1} s",
    "too many logins: {0} a minute are let in; try again in {1} s",
    "unknown",
    "write 1 to 20 digits",
    "write 12 digits",
    "write qcs::cam::uin/<uin>:roleName/<name> or arn:aws:iam::<account>:role/<name>",
    "write {0} to {1} bytes",
    "write {0} to {1} days",
    "{0} days",
    "{0} years",
)
"""What is put together of words in a way that no reader of the source can tell."""
FOREIGN: Final = (
    "input should be a valid boolean, unable to interpret input",
    "input should be a valid datetime",
    "input should be a valid datetime or date, {0}",
    "input should be a valid dictionary",
    "input should be a valid dictionary or instance of {0}",
    "input should be a valid integer",
    "input should be a valid integer, got a number with a fractional part",
    "input should be a valid integer, unable to parse string as an integer",
    "input should be a valid list",
    "input should be a valid number, unable to parse string as a number",
    "input should be greater than or equal to {0}",
    "input should be greater than {0}",
    "input should be less than or equal to {0}",
    "input should be less than {0}",
    "list should have at least {0} after validation, not {1}",
    "list should have at most {0} after validation, not {1}",
    "string should have at least {0}",
    "string should have at most {0}",
    "string should match pattern {0}",
    "{0} character",
    "{0} characters",
    "{0} item",
    "{0} items",
)
"""pydantic's words, as the service hands them on."""

TALKATIVE: Final = frozenset(
    {
        "operations/delete.py",
        "operations/checks.py",
        "ledger/webhook_rules.py",
        "ledger/rules.py",
        "engine/planner.py",
        "engine/plan_preflight.py",
        "engine/finisher.py",
        "engine/chunk_run.py",
        "engine/job_credentials.py",
        "engine/task_run.py",
        "identity/passwords.py",
        "manifests/cells.py",
        "manifests/inspect.py",
        "manifests/inventory_index.py",
        "manifests/rows.py",
        "manifests/sample.py",
        "model/webhooks.py",
        "model/windows.py",
        "operations/copy_checks.py",
        "operations/copy_foresee.py",
        "operations/dry_run.py",
        "operations/restore.py",
        "operations/shared_checks.py",
        "operations/tagging.py",
        "service/failure_hints.py",
        "service/follow_up.py",
        "service/job_rules.py",
        "service/people_names.py",
        "service/role_trial.py",
        "service/roles.py",
        "service/service.py",
        "service/webhooks.py",
        "storage/patience.py",
        "storage/public_addresses.py",
        "web/rest/callers.py",
    }
)
"""Files that hand sentences around in many ways: every text of theirs with a blank in it is one."""

_DESCRIBING: Final = frozenset(
    {
        "AssertionError",
        "cast",
        "compile",
        "Field",
        "RuntimeError",
        "StaleFence",
        "TypeError",
        "ValueError",
        "create_task",
    }
)
"""Their words are for the documentation, or for whoever works on the program."""
_WORD: Final = re.compile(r"[a-z]{2}", re.IGNORECASE)
_RESULTS: Final = frozenset({"refused", "unknown"})
"""Of the operations' room: functions of these names make a task's result of what was said before."""
_LOGS: Final = frozenset({"log", "_log", "logger"})


@dataclass(slots=True)
class Heard:
    """What was found in the source."""

    sentences: dict[str, str] = field(default_factory=dict)
    """Each with a place where it is said."""
    unread: set[str] = field(default_factory=set)
    """Files and what stands there where something is said that cannot be read."""


@cache
def heard() -> Heard:
    """All that speaks to the console; takes some seconds."""
    files = [path for room in ROOMS for path in sorted((SOURCE / room).rglob("*.py"))]
    files += [SOURCE / name for name in ALSO]
    return heard_in({path.relative_to(SOURCE).as_posix(): ast.parse(path.read_text("utf-8")) for path in files})


def heard_in(trees: Mapping[str, ast.Module]) -> Heard:
    found, known = Heard(), Names(trees)
    for name, tree in trees.items():
        if name not in SILENT:
            _Listener(name, known, found).visit(tree)
    return found


# --- who says something


@dataclass(slots=True)
class _Listener(ast.NodeVisitor):
    """Goes through a file and hears what is said."""

    file: str
    known: Names
    found: Heard
    around: tuple[Function, ...] = ()

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:  # ast's name
        self._inside(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:  # ast's name
        self._inside(node)

    def _inside(self, node: Function) -> None:
        before, self.around = self.around, (node, *self.around)
        self.generic_visit(node)
        self.around = before

    def visit_Constant(self, node: ast.Constant) -> None:  # ast's name
        if self.file in TALKATIVE and isinstance(node.value, str) and " " in node.value.strip():
            self._hear(node)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:  # ast's name
        if self.file in TALKATIVE and " " in joined(node.values).strip():
            self._hear(node)
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                self.visit(part.value)

    def visit_Expr(self, node: ast.Expr) -> None:  # ast's name
        if not isinstance(node.value, ast.Constant):  # else it is documentation
            self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:  # ast's name
        name = name_of(node.func)
        is_log = isinstance(node.func, ast.Attribute) and name_of(node.func.value) in _LOGS
        if is_log or name in _DESCRIBING:
            return
        for keyword in node.keywords:
            if keyword.arg in KEYWORDS:
                self._hear(keyword.value)
        place = ARGUMENTS.get(name)
        is_result = name in _RESULTS and isinstance(node.func, ast.Name) and self.file.startswith("operations/")
        if place is not None and len(node.args) > place and not is_result:
            self._hear(node.args[place])
        self.generic_visit(node)

    def visit_Assign(self, node: ast.Assign) -> None:  # ast's name
        for target in node.targets:
            for nth, each in enumerate(target.elts) if isinstance(target, ast.Tuple) else ((None, target),):
                if isinstance(each, ast.Attribute | ast.Name) and name_of(each) in KEYWORDS:
                    self._hear(node.value, nth=nth, may_be_unread=isinstance(each, ast.Name))
        self.generic_visit(node)

    def _hear(self, said: ast.expr, *, nth: int | None = None, may_be_unread: bool = False) -> None:
        place = f"{self.file}:{said.lineno}"
        try:
            texts = Reader(self.known, self.file, self.around).read(said, nth=nth)
        except Unread:
            if not may_be_unread:
                self.found.unread.add(f"{self.file}: {ast.unparse(said)}")
            return
        for text in texts:
            if _WORD.search(PLACE.sub("", text)):
                self.found.sentences.setdefault(text, place)
