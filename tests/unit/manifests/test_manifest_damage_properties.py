"""Whatever happens to the bytes of a manifest: exactly the rows that they still say, or a fault at its place.

What the bytes say is told by a second reader (``manifest_oracle``), so that a row lost in silence cannot go unnoticed.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from cosbatch.model.errors import FailureCode, Fault, JobFailure, ManifestFaulty
from cosbatch.model.identifiers import ObjectKey
from cosbatch.model.manifests import KeyEncoding, Manifest, ManifestRow
from cosbatch.storage.memory import MemoryStore
from tests.damage import damaged
from tests.unit.manifests.manifest_builders import (
    AN_INVENTORY,
    BUCKET_AND_KEY,
    CSV_KEY,
    INDEX_KEY,
    REPORTS,
    SCHEMA,
    WITH_VERSION,
    ChoppyStore,
    a_manifest,
    csv_text,
    inspected,
    inventory_row,
    rows_of,
    store_with_csv,
    store_with_inventory,
)
from tests.unit.manifests.manifest_oracle import Meaning, Reading, read_files

FULL_BUCKET = "logs-1250000000"
COLUMNS = [name.strip().lower() for name in SCHEMA.split(",")]
INVENTORY = Meaning(columns=COLUMNS, bucket=FULL_BUCKET)
FOLDER = "inv/1250000000/logs/daily/"

Outcome = list[ManifestRow] | tuple[Fault, ...] | FailureCode


def outcome(store: object, manifest: Manifest) -> Outcome:
    try:
        return rows_of(store, manifest)
    except ManifestFaulty as error:
        return error.faults
    except JobFailure as failure:
        return failure.failure_code


def check_against(readings: Sequence[Reading], found: Outcome, *, files: Sequence[str]) -> None:
    """Every record of every file is a row that was given, or has a fault with its line; and nothing else is said."""
    bad = {(file, line) for file, reading in zip(files, readings, strict=True) for line in reading.fault_lines}
    rows = [row for reading in readings for row in reading.rows]
    if bad:
        assert isinstance(found, tuple)
        places = [fault.path.rsplit(":", 2) for fault in found]
        assert {(file, int(line)) for file, line, _ in places} == bad
        for fault, (file, line, column) in zip(found, places, strict=True):
            check_place(readings[files.index(file)], fault, line=int(line), column=int(column))
    elif rows:
        assert found == rows
    else:
        assert found is FailureCode.MANIFEST_EMPTY


def check_place(reading: Reading, fault: Fault, *, line: int, column: int) -> None:
    """The column is one of the record's, or the one after its last, and the value stands there."""
    cells = reading.cells.get(line)
    if cells is None:
        assert reading.is_open
        return
    assert 1 <= column <= len(cells) + 1
    shown = fault.value.removesuffix("…")
    spelled = [
        text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
        for text in (*cells, ",".join(cells))
    ]
    assert any(text.startswith(shown) or text.strip(" ").startswith(shown) for text in spelled)
    assert str(fault).encode()


# --- a CSV manifest

ROWS = [
    ["b1", "plain/key.log", ""],
    ["b1", "a%2Fb+c%20d", "v1"],
    ["b1", "quoted, with a comma", "null"],
    ["b1", 'say "hi"', "v2"],
    ["b1", "two\nlines", ""],
    ["b1", "%E4%B8%AD", "3/L4kqtJlcpXroDTDmJ+rmSpXd3dIbrHY"],
    ["b1", "中文/Ω", ""],
    ["b1", "..//./x", "v3"],
]
TEXTS = [csv_text(ROWS, quoting=quoting) for quoting in (csv.QUOTE_ALL, csv.QUOTE_MINIMAL)]
TEXTS += [TEXTS[0].replace(b"\n", b"\r\n"), b"\xef\xbb\xbf" + TEXTS[1], csv_text([row[:2] for row in ROWS])]


@settings(max_examples=3 * settings().max_examples)
@given(draws=st.data(), encoding=st.sampled_from(KeyEncoding), has_versions=st.booleans(), packed=st.booleans())
def test_a_damaged_csv_is_the_rows_it_says_or_faults_at_their_lines(
    draws: st.DataObject, encoding: KeyEncoding, *, has_versions: bool, packed: bool
) -> None:
    content = draws.draw(damaged(draws.draw(st.sampled_from(TEXTS)), changes=4))
    packed = packed or content.startswith(b"\x1f\x8b")  # that would be taken for gzip
    names = ["bucket", "key", "versionid"] if has_versions else ["bucket", "key"]
    meaning = Meaning(columns=names, is_inventory=False, is_url_encoded=encoding is KeyEncoding.URL)
    manifest = a_manifest(fields=WITH_VERSION if has_versions else BUCKET_AND_KEY, encoding=encoding)
    store = store_with_csv(gzip.compress(content) if packed else content)
    check_against(read_files([content], meaning), outcome(store, manifest), files=[CSV_KEY])
    blocks = draws.draw(st.integers(1, 50))
    assert outcome(ChoppyStore(store, block_bytes=blocks), manifest) == outcome(store, manifest)
    inspected(store, manifest)
    inspected(store, a_manifest(fields=()), guess_format=True)


# --- an inventory


def _inventory_texts() -> list[bytes]:
    first = [inventory_row("a%20b"), inventory_row("c%2Cd", version="v1", latest="false", size="")]
    second = [
        inventory_row("%E4%B8%AD", version="v2", marker="true", bucket=FULL_BUCKET),
        inventory_row("e", etag='"x"'),
    ]
    return [csv_text(first, quoting=csv.QUOTE_ALL), csv_text(second)]


TEXTS_OF_INVENTORY = _inventory_texts()
KEYS_OF_FILES = [f"{FOLDER}{number}.csv.gz" for number in range(2)]


def stored(store: MemoryStore, key: str) -> bytes:
    return store.current_objects(REPORTS)[ObjectKey(key)].content.stored or b""


@settings(max_examples=2 * settings().max_examples)
@given(draws=st.data())
def test_a_damaged_text_in_an_inventory_whose_checksums_fit(draws: st.DataObject) -> None:
    """As if the inventory had written it so."""
    texts = [*TEXTS_OF_INVENTORY]
    changed = draws.draw(st.integers(0, 1))
    texts[changed] = draws.draw(damaged(texts[changed], changes=4))
    packed = draws.draw(st.booleans()) or any(text.startswith(b"\x1f\x8b") for text in texts)
    store = store_with_inventory(*texts, packed=packed)
    check_against(read_files(texts, INVENTORY), outcome(store, AN_INVENTORY), files=KEYS_OF_FILES)


@given(draws=st.data())
def test_a_damaged_file_of_an_inventory_is_never_read(draws: st.DataObject) -> None:
    """Without its checksum corrected: no row is given for good, and a fault names the file."""
    store = store_with_inventory(*TEXTS_OF_INVENTORY)
    key = draws.draw(st.sampled_from(KEYS_OF_FILES))
    content = draws.draw(damaged(stored(store, key)))
    if content == stored(store, key):
        return
    store.put_now(REPORTS, key, content)
    found = outcome(store, AN_INVENTORY)
    assert isinstance(found, tuple)
    assert key in {fault.path.partition(":")[0] for fault in found}


@settings(max_examples=2 * settings().max_examples)
@given(draws=st.data())
def test_a_damaged_gzip_whose_checksum_fits_is_what_another_reader_of_gzip_says(draws: st.DataObject) -> None:
    store = store_with_inventory(*TEXTS_OF_INVENTORY)
    content = draws.draw(damaged(stored(store, KEYS_OF_FILES[0])))
    if not content.startswith(b"\x1f\x8b"):
        return  # it is taken for a text then: see the test of damaged texts
    store.put_now(REPORTS, KEYS_OF_FILES[0], content)
    index = json.loads(stored(store, INDEX_KEY))
    index["files"][0] |= {"size": str(len(content)), "md5Checksum": hashlib.md5(content).hexdigest()}
    store.put_now(REPORTS, INDEX_KEY, json.dumps(index).encode())
    found = outcome(store, AN_INVENTORY)
    if isinstance(found, tuple) and any("gzip" in fault.problem for fault in found):
        assert any(fault.path.startswith(f"{KEYS_OF_FILES[0]}:") for fault in found)
        return  # also where the other reader overlooks damage in the header of the stream
    text = gzip.decompress(content)
    check_against(read_files([text, TEXTS_OF_INVENTORY[1]], INVENTORY), found, files=KEYS_OF_FILES)


@settings(max_examples=3 * settings().max_examples)
@given(draws=st.data())
def test_a_damaged_manifest_json_gives_the_rows_that_it_still_describes(draws: st.DataObject) -> None:
    store = store_with_inventory(*TEXTS_OF_INVENTORY)
    content = draws.draw(damaged(stored(store, INDEX_KEY)))
    store.put_now(REPORTS, INDEX_KEY, content)
    found = outcome(store, AN_INVENTORY)
    inspected(store, AN_INVENTORY)
    if isinstance(found, tuple):
        assert all(fault.path and str(fault).encode() for fault in found)
        return
    index = json.loads(content.decode("utf-8-sig"))
    meaning = Meaning(
        columns=[name.strip().casefold() for name in index["fileSchema"].split(",")], bucket=_named(index)
    )
    texts = dict(zip(KEYS_OF_FILES, TEXTS_OF_INVENTORY, strict=True))
    readings = read_files([texts[file["key"]] for file in index["files"]], meaning)
    check_against(readings, found, files=[file["key"] for file in index["files"]])


def _named(index: dict[str, object]) -> str:
    bucket, appid = str(index["sourceBucket"]).strip(), str(index.get("sourceAppid", "")).strip()
    return bucket if not appid or bucket.endswith(f"-{appid}") else f"{bucket}-{appid}"


def test_the_second_reader_reads_what_was_written() -> None:
    [reading] = read_files([TEXTS[0]], Meaning(columns=["bucket", "key", "versionid"], is_inventory=False))
    assert [row.key for row in reading.rows][:3] == ["plain/key.log", "a/b c d", "quoted, with a comma"]
    assert (len(reading.rows), reading.fault_lines) == (len(ROWS), [])


def test_the_second_reader_says_which_lines_are_none() -> None:
    content = b'b1,k\n\nb1\nb1,"x\ny"z\nb2,k\nb1,%zz\nb1,"open\n'
    [reading] = read_files([content], Meaning(columns=["bucket", "key"], is_inventory=False))
    assert (len(reading.rows), reading.fault_lines, reading.is_open) == (1, [3, 4, 6, 7, 8], True)
    check_against([reading], outcome(store_with_csv(content), a_manifest()), files=[CSV_KEY])
