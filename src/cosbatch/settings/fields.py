"""What the sections of the settings have in common: their strictness, paths, and where secrets are read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, PlainValidator

from cosbatch.model.errors import Fault, InvalidArgument
from cosbatch.service.faults import refused


class LogFormat(StrEnum):
    """How a line of the log looks."""

    JSON = "json"
    CONSOLE = "console"


class Section(BaseModel):
    """A part of the settings: a field that is not known is a fault."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvOrFileSecret:
    """Where a secret can be read; the secret itself is read late, and kept nowhere."""

    kind: str
    """``env``, ``file``, or ``command`` where a setting allows it."""
    name: str
    """Of the variable, the file's path, or the command with its arguments."""

    def read(self, *, path: str, environ: Mapping[str, str]) -> str:
        """The secret, without white space around it. InvalidArgument, which names ``path``, where it is not there. Not
        for a command: whoever runs those reads them."""
        try:
            text = environ[self.name] if self.kind == "env" else Path(self.name).expanduser().read_text()
        except KeyError:
            raise self._unreadable(path, f"the environment variable {self.name} is not set", "set it") from None
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else "it is not text"
            raise self._unreadable(path, f"the file {self.name} cannot be read: {reason}", "check it") from None
        if not text.strip():
            raise self._unreadable(path, f"{self.kind}:{self.name} is empty", "put the secret there")
        return text.strip()

    def within(self, folder: Path) -> EnvOrFileSecret:
        """A file's path is meant from ``folder``."""
        if self.kind != "file":
            return self
        return EnvOrFileSecret(kind="file", name=str(folder / Path(self.name).expanduser()))

    def _unreadable(self, path: str, problem: str, way_out: str) -> InvalidArgument:
        fault = Fault(path=path, value=f"{self.kind}:{self.name}", problem=problem, way_out=way_out)
        return InvalidArgument("a secret cannot be read", faults=[fault])


def _secret(value: Any) -> EnvOrFileSecret:
    found = _place(value, kinds=("env", "file"))
    if found is None:
        raise refused(
            "does not say where the secret is",
            way_out="write env:NAME or file:PATH and keep the secret itself out of the settings",
            is_secret=True,
        )
    return found


def _key(value: Any) -> EnvOrFileSecret:
    found = _place(value, kinds=("env", "file", "command"))
    if found is None:
        raise refused(
            "does not say where the key is",
            way_out="write env:NAME, file:PATH or command:PROGRAM and keep the key itself out of the settings",
            is_secret=True,
        )
    return found


def _place(value: Any, *, kinds: tuple[str, ...]) -> EnvOrFileSecret | None:
    if isinstance(value, EnvOrFileSecret):
        return value
    if not isinstance(value, str):
        return None
    kind, separator, name = value.partition(":")
    if not separator or kind not in kinds or not name.strip():
        return None
    return EnvOrFileSecret(kind=kind, name=file_path(name) if kind == "file" else name)


def file_path(text: str) -> str:
    try:
        Path(text).expanduser()
    except RuntimeError:
        raise refused("names the home folder of nobody", way_out="write the path without ~") from None
    if "\0" in text:
        raise refused("is no path", way_out="write the path of a file")
    return text


Secret = Annotated[EnvOrFileSecret, PlainValidator(_secret)]
KeySource = Annotated[EnvOrFileSecret, PlainValidator(_key)]
"""As a secret, or the output of a command, such as a KMS client."""
