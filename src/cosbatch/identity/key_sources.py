"""Where the keys come from that seal secrets: a file, an environment variable, or a command that asks a KMS.

In all three they stand as text: one key a line, base64 of 32 bytes, the one that seals first; ``#`` begins a comment.
Loaded again each time they are needed, never logged, and never part of a message.
"""

from __future__ import annotations

import base64
import binascii
import os
import shlex
import stat
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from cosbatch.identity.ciphers import KEY_BYTES, KeyRing, generate_key
from cosbatch.model.errors import Fault, InvalidArgument

KEY_FILE: Final = "encryption.key"
"""In the data folder, where the settings name no other source."""
COMMAND_SECONDS: Final = 60.0
_HEADING: Final = (
    "# Keys of cosbatch that encrypt the secrets in its ledger, the current one first. Keep a copy safe.\n"
)


def load_key_ring(
    data_dir: Path,
    *,
    file: Path | None = None,
    variable: str = "",
    command: str = "",
    may_make: bool = False,
    environment: Mapping[str, str] | None = None,
) -> KeyRing:
    """The ring of the one source that is named, else of ``data_dir``/encryption.key.

    ``variable`` names an environment variable; ``command`` is a command line, run without a shell, whose standard
    output is the keys. ``may_make``: a file that does not exist is made, with a new key, also when two processes do it
    at once; else InvalidArgument, as for keys that cannot be read or that others may read."""
    named = [*([f"file:{file}"] if file else []), *([f"env:{variable}"] if variable else [])]
    named += [f"command:{command}"] if command else []
    if len(named) > 1:
        raise _unusable(" ".join(named), "several sources are named", "name one of them")
    if variable:
        return _from_variable(variable, os.environ if environment is None else environment)
    if command:
        return _from_command(command)
    path = key_file(data_dir, file=file)
    if may_make and not path.exists():
        _make(path)
    return _from_file(path)


def key_file(data_dir: Path, *, file: Path | None = None) -> Path:
    return file or data_dir / KEY_FILE


def write_key_ring(path: Path, ring: KeyRing) -> None:
    """Replaces the file, mode 600, in one step: after a crash it holds the old ring or the new one."""
    fresh = _written_beside(path, ring)
    try:
        fresh.replace(path)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def parse_key_ring(text: str, *, source: str) -> KeyRing:
    """``source`` is named in a Fault, which never shows what stands there."""
    lines = (line.partition("#")[0].strip() for line in text.splitlines())
    keys = [_key(line, source=source) for line in lines if line]
    if not keys:
        raise _unusable(source, "there is no key in it", "give one key a line, each the base64 of 32 bytes")
    return KeyRing(current=keys[0], older=tuple(key for key in dict.fromkeys(keys) if key != keys[0]))


def key_ring_text(ring: KeyRing) -> str:
    return "".join(f"{base64.b64encode(key).decode()}\n" for key in ring.keys)


def _key(line: str, *, source: str) -> bytes:
    try:
        key = base64.b64decode(line, validate=True)
    except (ValueError, binascii.Error):
        key = b""
    if len(key) != KEY_BYTES:
        raise _unusable(source, "a line of it is no key", "give one key a line, each the base64 of 32 bytes")
    return key


def _from_variable(variable: str, environment: Mapping[str, str]) -> KeyRing:
    text = environment.get(variable, "")
    if not text:
        way_out = "set it to the base64 of 32 bytes, or name another variable"
        raise _unusable(f"env:{variable}", "there is no such environment variable, or it is empty", way_out)
    return parse_key_ring(text, source=f"env:{variable}")


def _from_command(command: str) -> KeyRing:
    where = f"command:{command}"
    try:
        done = subprocess.run(shlex.split(command), capture_output=True, timeout=COMMAND_SECONDS, check=False)
    except (OSError, ValueError) as error:
        raise _unusable(where, f"it cannot be run: {error}", "look at the command line") from None
    except subprocess.TimeoutExpired:
        problem = f"it did not end within {COMMAND_SECONDS:g} s"
        raise _unusable(where, problem, "run it by hand and see what it waits for") from None
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        problem = f"it ended with code {done.returncode}" + (f" and said: {said[-1][:200]}" if said else "")
        raise _unusable(where, problem, "run it by hand as the user that runs cosbatch")
    return parse_key_ring(done.stdout.decode(errors="replace"), source=where)


def _from_file(path: Path) -> KeyRing:
    where = f"file:{path}"
    try:
        others_may = stat.S_IMODE(path.stat().st_mode) & 0o077
        text = path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        way_out = "put the file back from a copy: without it the secrets in the ledger cannot be read"
        raise _unusable(where, "there is no such file", way_out) from None
    except OSError as error:
        way_out = "give the file to the user that runs cosbatch"
        raise _unusable(where, f"it cannot be read: {error.strerror}", way_out) from None
    if others_may:
        raise _unusable(where, "others than its owner may read or change it", f"chmod 600 {path}")
    return parse_key_ring(text, source=where)


def _make(path: Path) -> None:
    """Linked into place, which fails where another process was first: its key is the one, then."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = _written_beside(path, KeyRing(current=generate_key()))
        try:
            with suppress(FileExistsError):
                os.link(fresh, path)
        finally:
            fresh.unlink(missing_ok=True)
        _sync_folder(path.parent)
    except OSError as error:
        way_out = "name a file that you may write to"
        raise _unusable(f"file:{path}", f"it cannot be made: {error.strerror}", way_out) from error


def _written_beside(path: Path, ring: KeyRing) -> Path:
    fresh = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(_HEADING + key_ring_text(ring))
        file.flush()
        os.fsync(descriptor)
    return fresh


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _unusable(source: str, problem: str, way_out: str) -> InvalidArgument:
    fault = Fault(path="server.encryption_key", value=source[:200], problem=problem, way_out=way_out)
    return InvalidArgument("the encryption key cannot be used", faults=[fault])
