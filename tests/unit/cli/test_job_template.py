"""The template and the examples are read by the program itself, as they stand and with every option switched on."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import trustme
from click.testing import CliRunner

from cosbatch.cli.main import cli
from cosbatch.model.operations import DeleteObject, InitiateRestoreObject, PutObjectCopy, PutObjectTagging
from cosbatch.service.documents import read_document
from cosbatch.service.job_document import request_document
from cosbatch.service.job_schema import CopyForm, JobForm, NewObjectMetadataForm, parse_job
from cosbatch.settings import load_settings, region_table

EXAMPLES = Path(__file__).parents[3] / "examples"
_SWITCHED_OFF = re.compile(r"^( *)#(?=\S)", re.MULTILINE)


def switched_on(text: str) -> str:
    """A # right before a word switches an option off; a # and a space begin a comment."""
    return _SWITCHED_OFF.sub(r"\1", text)


def of_deletions(name: str) -> set[str]:
    return {"confirm_delete_count"} if name == "delete" else set()


@pytest.fixture
def template() -> str:
    result = CliRunner().invoke(cli, ["job-template", "copy"])
    assert result.exit_code == 0
    return result.stdout


def test_the_template_is_a_job_as_it_stands(template: str) -> None:
    request = parse_job(read_document(template, source="template")).request

    assert isinstance(request.operation, PutObjectCopy)
    assert request.operation == PutObjectCopy(target_bucket=request.operation.target_bucket)


def test_with_every_option_switched_on_it_is_a_job_too(template: str) -> None:
    request = parse_job(read_document(switched_on(template), source="template")).request

    written = request_document(request)["operation"]["cos_put_object_copy"]
    assert written["prefix_replace"] is True
    assert written["new_object_metadata"]["user_metadata"] == [{"key": "moved-by", "value": "cosbatch"}]


def test_the_template_names_every_field(template: str) -> None:
    left_out = {"operation", "confirmation_required", "client_request_token", "role_arn", "confirm_delete_count"}
    for form in (JobForm, CopyForm, NewObjectMetadataForm):
        for name in set(form.model_fields) - left_out:
            assert f"{name}:" in template, name


@pytest.mark.parametrize(
    ("name", "parameters"), [("delete", DeleteObject), ("restore", InitiateRestoreObject), ("tags", PutObjectTagging)]
)
def test_the_other_templates_are_jobs_in_either_spelling(name: str, parameters: type) -> None:
    printed = CliRunner().invoke(cli, ["job-template", name])
    assert printed.exit_code == 0
    for spelling in (printed.stdout, switched_on(printed.stdout)):
        assert isinstance(parse_job(read_document(spelling, source=name)).request.operation, parameters)
    left_out = {"operation", "confirmation_required", "client_request_token", "role_arn"}
    of_others = {"part_copy_above_bytes", "part_size_bytes"} | ({"confirm_delete_count"} - of_deletions(name))
    for field in set(JobForm.model_fields) - left_out - of_others:
        assert f"{field}:" in printed.stdout, field


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("job-*.yaml")), ids=lambda path: path.name)
def test_every_example_of_a_job_can_be_run(path: Path) -> None:
    text = path.read_text(encoding="utf-8")

    for spelling in (text, switched_on(text)):
        assert parse_job(read_document(spelling, source=path.name)).request.region


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("settings-*.yaml")), ids=lambda path: path.name)
def test_every_example_of_settings_can_be_used(path: Path, tmp_path: Path) -> None:
    everything = tmp_path / path.name
    everything.write_text(switched_on(path.read_text(encoding="utf-8")), encoding="utf-8")
    trustme.CA().cert_pem.write_to_path(tmp_path / "minio-ca.pem")

    assert region_table(load_settings(path))
    assert region_table(load_settings(everything))


def test_the_examples_are_there() -> None:
    assert len(list(EXAMPLES.glob("job-*.yaml"))) >= 3
    assert len(list(EXAMPLES.glob("settings-*.yaml"))) >= 1
