"""The documentation says what is true of the code: lists are complete, examples load, links lead somewhere."""

from __future__ import annotations

import re
import tomllib
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest
import yaml
from pydantic import BaseModel

from cosbatch.cli import invocation
from cosbatch.cli.main import VERBS
from cosbatch.ledger.port import ChunkState
from cosbatch.model.errors import FailureCode, StorageReason
from cosbatch.model.states import JobStatus
from cosbatch.model.tasks import OutcomeCode
from cosbatch.reports.summary import build_summary
from cosbatch.service.documents import read_document
from cosbatch.service.job_schema import JobForm, parse_job
from cosbatch.settings import (
    AccountSettings,
    CredentialSettings,
    RegionSettings,
    RoleSettings,
    ServerSettings,
    Settings,
    UserSettings,
    WebhookSettings,
    load_settings,
)
from cosbatch.settings.prices import PriceSettings, RegionPriceSettings
from docs.generate import PAGES
from tests.unit.reports.report_builders import a_job
from tests.unit.service.job_builders import without_places

ROOT: Final = Path(__file__).parent.parent.parent
DOCS: Final = ROOT / "docs"
PAGES_BY_HAND: Final = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"]
ALL_PAGES: Final = [*PAGES_BY_HAND, *sorted(DOCS.rglob("*.md"))]
BASE_JOB: Final = """
region: local
manifest:
  location: {object_arn: "arn:aws:s3:::lists/list.csv"}
  spec: {format: COSBatchOperations_CSV_V1, fields: [Bucket, Key]}
operation:
  cos_put_object_copy: {target_resource: "arn:aws:s3:::archive"}
report: {bucket: "arn:aws:s3:::lists"}
"""


class Block(NamedTuple):
    """A fenced block of YAML."""

    place: str
    title: str
    text: str


_FENCE: Final = re.compile(r"^( *)```ya?ml(.*)\n((?:.*\n)*?)\1```$", re.MULTILINE)
_TITLE: Final = re.compile(r'title="([^"]+)"')
_LINK: Final = re.compile(r"\]\(([^)\s]+)\)")
_CODE: Final = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)
_FILE: Final = re.compile(r"`((?:tests|src|bench|deploy|docs|examples|\.ci)/[\w./-]*\w)`")


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def yaml_blocks() -> Iterator[Block]:
    for page in ALL_PAGES:
        text = page.read_text(encoding="utf-8")
        for found in _FENCE.finditer(text):
            indent, words, content = found.groups()
            title = _TITLE.search(words)
            lines = [line.removeprefix(indent) for line in content.splitlines(keepends=True)]
            line = text.count("\n", 0, found.start()) + 1
            yield Block(f"{named(page)}:{line}", title[1] if title else "", "".join(lines))


BLOCKS: Final = list(yaml_blocks())


def section(page: str, heading: str) -> str:
    """What stands below a heading of the second level."""
    text = (DOCS / page).read_text(encoding="utf-8")
    return text.split(f"\n## {heading}\n", maxsplit=1)[1].split("\n## ", maxsplit=1)[0]


def first_column(text: str) -> list[str]:
    """The first cells of a table's rows, without its head."""
    rows = [line for line in text.splitlines() if line.startswith("|")]
    return [row.split("|")[1].strip().strip("`") for row in rows[2:]]


# --- pages made from the code


@pytest.mark.parametrize("page", PAGES)
def test_a_generated_page_is_current(page: str) -> None:
    assert (DOCS / page).read_text(encoding="utf-8") == PAGES[page](), "run: python docs/generate.py"


@pytest.mark.parametrize(
    "model",
    [
        Settings,
        RegionSettings,
        CredentialSettings,
        RoleSettings,
        ServerSettings,
        AccountSettings,
        UserSettings,
        WebhookSettings,
        PriceSettings,
        RegionPriceSettings,
    ],
)
def test_every_setting_has_its_row(model: type[BaseModel]) -> None:
    documented = {
        name.rpartition(".")[2] for name in first_column((DOCS / "reference/settings.md").read_text(encoding="utf-8"))
    }
    sections = {"regions", "roles", "credentials", "server", "accounts", "users", "webhooks", "prices"}
    assert set(model.model_fields) - sections <= documented


def test_every_command_has_its_section() -> None:
    text = (DOCS / "reference/cli.md").read_text(encoding="utf-8")
    assert [verb for verb in VERBS if f"\n## cosbatch {verb}\n" not in text] == []


# --- lists that must be complete


def test_every_status_is_in_the_glossary() -> None:
    assert first_column(section("glossary.md", "Statuses")) == [status.value for status in JobStatus]


def test_every_failure_code_is_explained() -> None:
    assert first_column(section("reference/error-codes.md", "Failure codes")) == [code.value for code in FailureCode]


def test_every_outcome_code_is_explained() -> None:
    assert first_column(section("reference/error-codes.md", "Outcome codes")) == [code.value for code in OutcomeCode]


def test_every_storage_reason_is_explained() -> None:
    reasons = first_column(section("reference/error-codes.md", "Storage reasons"))
    assert reasons == [reason.value for reason in StorageReason]


@pytest.mark.parametrize("page", ["docs/reference/error-codes.md", "README.md"])
def test_every_exit_code_is_explained(page: str) -> None:
    codes = {value for name, value in vars(invocation).items() if name.startswith("EXIT_")}
    text = (ROOT / page).read_text(encoding="utf-8").split("## Exit codes", maxsplit=1)[1].split("\n## ", maxsplit=1)[0]
    assert {int(code) for code in first_column(text)} == codes


def fields_of(model: type[BaseModel]) -> Iterator[str]:
    for name, field in model.model_fields.items():
        yield name
        yield from _fields_in(field.annotation)


def _fields_in(annotation: Any) -> Iterator[str]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield from fields_of(annotation)
    for part in getattr(annotation, "__args__", ()):
        yield from _fields_in(part)


def test_every_field_of_a_job_is_documented() -> None:
    copies = ("run-a-job.md", "copy-options.md", "large-objects.md", "manifests.md")
    pages = (*copies, "delete.md", "restore.md", "tags.md")
    text = "".join((DOCS / "how-to" / page).read_text(encoding="utf-8") for page in pages)
    words = set(re.findall(r"\w+", " ".join(re.findall(r"`([^`\n]+)`", text))))
    assert set(fields_of(JobForm)) - words == set()


def test_every_dependency_has_its_reason() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    groups = [
        project["project"]["dependencies"],
        project["project"]["optional-dependencies"]["demo"],
        project["dependency-groups"]["dev"],
        project["dependency-groups"]["bench"],
        project["dependency-groups"]["docs"],
    ]
    headings = ["To run", "For the demo", "To develop", "To measure", "For these pages"]
    for heading, group in zip(headings, groups, strict=True):
        names = [re.split(r"[<>=;\[ ]", requirement, maxsplit=1)[0] for requirement in group]
        assert first_column(section("design/dependencies.md", heading)) == names


def test_every_make_target_is_in_the_table() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z0-9-]+):.*##", makefile, re.MULTILINE))
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `make ([a-z0-9-]+)` \|", text, re.MULTILINE)) == targets


def test_every_room_is_in_the_table() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    rooms = {path.parent.name for path in (ROOT / "src/cosbatch").glob("*/__init__.py")}
    assert {room for room in rooms if f"`{room}/`" not in text} == set()


def test_every_benchmark_is_on_the_page() -> None:
    text = (DOCS / "performance.md").read_text(encoding="utf-8")
    scripts = [named(path) for path in (ROOT / "bench").glob("*.py") if not path.name.startswith("_")]
    assert [script for script in scripts if f"`{script}`" not in text] == []


# --- links, files, the site


@pytest.mark.parametrize("page", ALL_PAGES, ids=named)
def test_links_lead_somewhere(page: Path) -> None:
    text = _CODE.sub("", page.read_text(encoding="utf-8"))
    links = [link.partition("#")[0] for link in _LINK.findall(text) if not link.startswith(("https://", "#"))]
    assert [link for link in links if not (page.parent / link).is_file()] == []


@pytest.mark.parametrize("page", ALL_PAGES, ids=named)
def test_files_that_are_named_are_there(page: Path) -> None:
    assert [name for name in _FILE.findall(page.read_text(encoding="utf-8")) if not (ROOT / name).exists()] == []


def test_the_site_has_every_page_and_asks_no_other_host() -> None:
    config = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    assert sorted(_pages_in(config["nav"])) == sorted(page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md"))
    assert config["theme"]["font"] is False
    assert {"extra_javascript", "extra_css", "repo_url"}.isdisjoint(config)


def _pages_in(nav: list[Any]) -> Iterator[str]:
    for entry in nav:
        if isinstance(entry, str):
            yield entry
        else:
            for below in entry.values():
                yield from _pages_in(below)


# --- examples


def test_every_block_of_yaml_says_what_it_is() -> None:
    assert len(BLOCKS) > 10
    kinds = re.compile(r"cosbatch\.yaml|part of job\.yaml|(?:\w+\.)?job\.yaml")
    assert [block.place for block in BLOCKS if not kinds.fullmatch(block.title)] == []


@pytest.mark.parametrize("block", [block for block in BLOCKS if block.title == "cosbatch.yaml"], ids=lambda b: b.place)
def test_settings_load(block: Block, tmp_path: Path) -> None:
    (tmp_path / "cosbatch.yaml").write_text(block.text, encoding="utf-8")
    assert load_settings(tmp_path / "cosbatch.yaml").regions


@pytest.mark.parametrize(
    "block", [block for block in BLOCKS if block.title.endswith("job.yaml")], ids=lambda b: b.place
)
def test_job_files_parse(block: Block) -> None:
    if not block.title.startswith("part of"):
        assert parse_job(read_document(block.text, source=block.place)).request.report.enabled
        return
    part = read_document(block.text, source=block.place).content
    parse_job(without_places(_merged(read_document(BASE_JOB, source="base").content, part)))


def _merged(base: Mapping[str, Any], part: Mapping[str, Any]) -> dict[str, Any]:
    """``base`` with what ``part`` says, field by field."""
    return dict(base) | {
        name: _merged(base[name], value) if isinstance(value, Mapping) and name in base else value
        for name, value in part.items()
    }


async def _no_chunks() -> AsyncIterator[ChunkState]:
    return
    yield


async def test_every_field_of_a_summary_is_explained() -> None:
    job = a_job(status=JobStatus.COMPLETE)
    summary = await build_summary(job, chunk_states=_no_chunks, created_at=0.0)
    page = (DOCS / "how-to" / "read-a-report.md").read_text(encoding="utf-8")
    table = page.partition("## summary.json")[2].partition("\n## ")[0]
    named = {
        name
        for line in table.splitlines()
        if line.startswith("| `")
        for name in re.findall(r"`([^`]+)`", line.split("|")[1])
    }
    assert named == {*summary.fields, "report_files"}
