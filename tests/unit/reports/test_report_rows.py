"""Rows of the report, read back with the standard library's reader."""

from __future__ import annotations

from urllib.parse import unquote, unquote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosbatch.model.identifiers import Bucket
from cosbatch.model.tasks import Result, TaskStatus
from cosbatch.reports.rows import REPORT_SCHEMA, encode_field, encode_key, encode_rows
from tests.unit.reports.report_builders import BUCKET, Entry, a_failure, a_task, failed, read_csv, succeeded

ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]))


def test_a_success_says_so_in_the_columns_of_the_schema() -> None:
    content = encode_rows([succeeded(key="raw/a.log")], bucket=BUCKET, status=TaskStatus.SUCCEEDED)

    assert content == b"logs-1250000000,raw/a.log,,succeeded,,200,Successful\n"
    assert len(REPORT_SCHEMA.split(", ")) == len(read_csv(content)[0])


def test_a_failure_has_its_code_status_and_message() -> None:
    entry = failed(key="raw/a.log", message='The key "raw/a.log" does not exist, sorry.')

    content = encode_rows([entry], bucket=BUCKET, status=TaskStatus.FAILED)

    assert content == (
        b'logs-1250000000,raw/a.log,,failed,NoSuchKey,404,"The key ""raw/a.log"" does not exist, sorry."\n'
    )


def test_a_success_keeps_a_message_of_its_own_and_a_version_its_id() -> None:
    entry = succeeded(version="null", message="Skipped: delete marker")

    content = encode_rows([entry], bucket=BUCKET, status=TaskStatus.SUCCEEDED)

    assert read_csv(content) == [[BUCKET, "key-0", "null", "succeeded", "", "200", "Skipped: delete marker"]]


def test_an_answer_that_never_came_has_an_empty_status() -> None:
    entry = (a_task(), a_failure(code="OutcomeUnknown", message="no answer", http_status=0))

    row = read_csv(encode_rows([entry], bucket=BUCKET, status=TaskStatus.FAILED))[0]

    assert row[4:] == ["OutcomeUnknown", "", "no answer"]


def test_a_failure_without_a_message_has_an_empty_one() -> None:
    assert encode_rows([failed(message="")], bucket=BUCKET, status=TaskStatus.FAILED).endswith(b",NoSuchKey,404,\n")


@pytest.mark.parametrize(
    ("key", "encoded"),
    [
        ("raw/2024/a.log", "raw/2024/a.log"),
        ("a b", "a%20b"),
        ("a+b", "a%2Bb"),
        ("100%", "100%25"),
        ("a,b", "a%2Cb"),
        ('say "hi"', "say%20%22hi%22"),
        ("line\nfeed\r\n", "line%0Afeed%0D%0A"),
        ("数据/文件", "%E6%95%B0%E6%8D%AE/%E6%96%87%E4%BB%B6"),
        ("a//b/../c/./", "a//b/../c/./"),
        ("/leading", "/leading"),
        ("tilde~dash-dot._", "tilde~dash-dot._"),
        ("=1+1", "%3D1%2B1"),
        ("\x00\x7f", "%00%7F"),
    ],
)
def test_a_key_is_percent_encoded_as_every_reader_decodes_it(key: str, encoded: str) -> None:
    assert encode_key(key) == encoded
    assert unquote(encoded) == unquote_plus(encoded) == key


@given(key=ANY_TEXT)
def test_every_key_survives_both_kinds_of_decoding_and_needs_no_quotes(key: str) -> None:
    encoded = encode_key(key)

    assert unquote(encoded) == unquote_plus(encoded) == key
    assert encode_field(encoded) == encoded
    assert encoded.isascii()


@given(text=ANY_TEXT)
def test_every_field_survives(text: str) -> None:
    row = f"{encode_field(text)},{encode_field(text)}\n"

    assert read_csv(row.encode()) == [[text, text]]


@pytest.mark.parametrize("plain", ["", "plain", "two words", "semi;colon", "it's", "ümläut", "数据", "a=b"])
def test_a_field_without_cause_is_not_quoted(plain: str) -> None:
    assert encode_field(plain) == plain


@pytest.mark.parametrize("special", [",", '"', "\n", "\r", "\t", "\x00", "\x1b[31m", "\x7f"])
def test_a_field_with_a_separator_or_a_control_character_is_quoted(special: str) -> None:
    assert encode_field(f"a{special}b").startswith('"')


def test_a_long_message_is_cut_to_1024_characters() -> None:
    row = read_csv(encode_rows([failed(message="数" * 2000)], bucket=BUCKET, status=TaskStatus.FAILED))[0]

    assert row[6] == "数" * 1024


def test_a_message_that_is_no_text_does_not_stop_the_report() -> None:
    content = encode_rows([failed(message="bad \udcff byte")], bucket=BUCKET, status=TaskStatus.FAILED)

    assert read_csv(content)[0][6] == r"bad \udcff byte"


FORMULAS = st.builds(
    str.__add__, st.sampled_from(["=", "+", "-", "@", "\t=", "\r", "\n+", "=cmd|'/C calc'!A0", "'="]), ANY_TEXT
)


@given(key=FORMULAS.filter(lambda key: len(key.encode()) <= 1024), message=FORMULAS)
def test_what_a_spreadsheet_would_run_stays_exactly_what_it_is(key: str, message: str) -> None:
    """Nothing is put before it to disarm it: the report is data, and a manifest again."""
    entry = failed(key=key, message=message)

    [row] = read_csv(encode_rows([entry], bucket=BUCKET, status=TaskStatus.FAILED))

    assert unquote(row[1]) == unquote_plus(row[1]) == key
    assert row[6] == message[:1024]


KEYS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12) | st.from_regex(r"[a-z/._~-]{1,12}")
ENTRIES = st.lists(
    st.builds(
        lambda key, version, code, status, message: (
            a_task(key=key, version=version),
            Result(0, TaskStatus.FAILED, code, status, message),
        ),
        KEYS,
        st.none() | st.sampled_from(["null", "3/L4kqtJlcpXroDTDmJ+rmSpXd3dIbrHY", "a,b"]),
        st.sampled_from(["NoSuchKey", "AccessDenied", 'odd,"code"']),
        st.sampled_from([0, 403, 404]),
        ANY_TEXT,
    ),
    max_size=20,
)


@given(entries=ENTRIES, bucket=st.sampled_from(["logs-1250000000", "my.bucket", "od,d"]))
def test_a_block_has_a_row_for_each_result_in_order(entries: list[Entry], bucket: str) -> None:
    content = encode_rows(entries, bucket=Bucket(bucket), status=TaskStatus.FAILED)

    assert [[row[0], unquote_plus(row[1]), *row[2:]] for row in read_csv(content)] == [
        [
            bucket,
            task.key,
            task.version_id or "",
            "failed",
            result.error_code,
            str(result.http_status or ""),
            result.message[:1024],
        ]
        for task, result in entries
    ]


def test_no_results_make_no_rows() -> None:
    assert encode_rows([], bucket=BUCKET, status=TaskStatus.FAILED) == b""
