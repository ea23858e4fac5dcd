from __future__ import annotations

import pytest

from cosbatch.model.errors import InvalidArgument
from cosbatch.service.documents import dotted, read_document, shorten


def test_values_are_read_as_yaml_1_2_reads_them() -> None:
    text = "a: no\nb: 010\nc: 2025-01-01\nd: true\ne: ~\nf: '7'\ng: 1.5\nh: [1, x]\ni: -3\nj:\n"

    assert read_document(text, source="x").content == {
        "a": "no",
        "b": 10,
        "c": "2025-01-01",
        "d": True,
        "e": None,
        "f": "7",
        "g": 1.5,
        "h": [1, "x"],
        "i": -3,
        "j": None,
    }


def test_json_is_read_too() -> None:
    assert read_document('{"a": {"b": [1, "2", null]}}', source="x").content == {"a": {"b": [1, "2", None]}}


def test_the_place_of_a_value_is_its_line_or_that_of_the_nearest_field_written() -> None:
    document = read_document("a:\n  b:\n  - x\n  - y: 1\n", source="x")

    assert document.place(("a", "b", 1, "y")) == "a.b[1].y (line 4)"
    assert document.place(("a", "missing")) == "a.missing (line 1)"


@pytest.mark.parametrize(
    ("text", "place", "problem"),
    [
        ("a: 1\nb: [\n", "job.yaml:3:1", "is not YAML"),
        ("a: &x 1\nb: *x\n", "job.yaml:2", "aliases are not read"),
        ("a: 1\na: 2\n", "a (line 2)", "stands twice"),
        ("a: !!python/name:os.system x\n", "a (line 1)", "tags are not read"),
        ("- a\n- b\n", "job.yaml", "holds no fields"),
        ("only words\n", "job.yaml", "holds no fields"),
        ("a: " + "[" * 3000, "job.yaml:1", "is more than 50 levels deep"),
        ("a: " + "[" * 50 + "]" * 50, "job.yaml:1", "is more than 50 levels deep"),
        ("a: 1\nb: " + "9" * 5000, "b (line 2)", "has 5000 digits"),
        ('a: [{b: "x\\ud800"}]', "a[0].b (line 1)", "has half a character"),
        ('a: 1\n"\\udfff": 1', "(document) (line 2)", "has half a character"),
        ("a: 1\n? [b]\n: c\n", "(document) (line 2)", "has a name that is no word"),
        ("# " + "x" * 2**20, "job.yaml", "1048576 are allowed"),
    ],
    ids=lambda text: text[:20],
)
def test_what_cannot_be_read_says_where(text: str, place: str, problem: str) -> None:
    with pytest.raises(InvalidArgument) as raised:
        read_document(text, source="job.yaml")

    (fault,) = raised.value.faults
    assert fault.path == place
    assert problem in fault.problem


def test_what_is_just_not_too_much_is_read() -> None:
    content = read_document("a: " + "[" * 49 + "]" * 49 + "\nb: " + "9" * 64, source="x").content

    assert content["b"] == int("9" * 64)


def test_a_character_in_two_escapes_is_one() -> None:
    assert read_document(r'{"a": "\ud83d\ude00"}', source="x").content == {"a": "\N{GRINNING FACE}"}


def test_an_empty_text_has_no_fields() -> None:
    assert read_document("# nothing\n", source="x").content == {}


def test_paths_and_values_for_people() -> None:
    assert dotted(("manifest", "spec", "fields", 2)) == "manifest.spec.fields[2]"
    assert len(shorten("x" * 500)) == 200
