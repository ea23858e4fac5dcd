"""Profiles: the services that a person's command line speaks to, and the tokens for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import platformdirs
from pydantic import Field, StrictStr, ValidationError

from cosbatch.model.errors import Fault, InvalidArgument
from cosbatch.service.documents import read_document
from cosbatch.service.faults import faults_of, nearest
from cosbatch.settings.fields import Secret, Section

PROFILES_FILE: Final = "profiles.yaml"
URL_VARIABLE: Final = "COSBATCH_SERVER_URL"
TOKEN_VARIABLE: Final = "COSBATCH_API_TOKEN"  # noqa: S105  # a name
PROFILE_VARIABLE: Final = "COSBATCH_PROFILE"
FILE_VARIABLE: Final = "COSBATCH_PROFILES"


class Profile(Section):
    """A service, as ``--profile NAME`` means it."""

    server: StrictStr
    """``https://host:port``."""
    token: Secret | None = None
    """``env:NAME`` or ``file:PATH``; without it ``COSBATCH_API_TOKEN``."""
    ca_file: Path | None = None


class Profiles(Section):
    """The file: profiles by name, and the one that counts where none is named."""

    profiles: dict[StrictStr, Profile] = Field(default_factory=dict)
    default: StrictStr = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceLogin:
    """A service to call, and what proves who calls."""

    url: str
    token: str = field(default="", repr=False)
    ca_file: Path | None = None


def service_login(
    *, server: str = "", profile: str = "", environ: Mapping[str, str], folder: Path | None = None
) -> ServiceLogin | None:
    """The service that is meant: ``server``, else the named profile, else what the environment names, else the file's
    default; None: none, jobs are in a data folder. ``folder`` is the user's config folder where it is not given.

    InvalidArgument where a profile is not there, its file cannot be used, or its token cannot be read."""
    if server:
        return ServiceLogin(url=server, token=environ.get(TOKEN_VARIABLE, ""))
    if not profile and environ.get(URL_VARIABLE):
        return ServiceLogin(url=environ[URL_VARIABLE], token=environ.get(TOKEN_VARIABLE, ""))
    path = Path(environ[FILE_VARIABLE]) if environ.get(FILE_VARIABLE) else _place(folder)
    known = _read(path) if path.is_file() else Profiles()
    name = profile or environ.get(PROFILE_VARIABLE, "") or known.default
    return _login(known, name, path=path, environ=environ) if name else None


def _place(folder: Path | None) -> Path:
    return (folder or platformdirs.user_config_path("cosbatch")) / PROFILES_FILE


def _read(path: Path) -> Profiles:
    try:
        document = read_document(path.read_text(encoding="utf-8"), source=str(path))
    except (OSError, UnicodeDecodeError) as error:
        fault = Fault(path=str(path), value="", problem=f"cannot be read: {error}")
        raise InvalidArgument("the profiles cannot be read", faults=[fault]) from error
    try:
        return Profiles.model_validate(document.content)
    except ValidationError as error:
        faults = faults_of(error, model=Profiles, place=document.place, secrets_below="token")
        raise InvalidArgument(f"the profiles in {path} cannot be used", faults=faults) from None


def _login(known: Profiles, name: str, *, path: Path, environ: Mapping[str, str]) -> ServiceLogin:
    found = known.profiles.get(name)
    if found is None:
        way_out = nearest(name, known=known.profiles) or f"write it to {path}"
        fault = Fault(path="profile", value=name, problem="is no profile that is known", way_out=way_out)
        raise InvalidArgument("there is no such profile", faults=[fault])
    token = environ.get(TOKEN_VARIABLE, "")
    if found.token is not None:
        token = found.token.within(path.parent).read(path=f"profiles.{name}.token", environ=environ)
    ca_file = None if found.ca_file is None else path.parent / found.ca_file.expanduser()
    return ServiceLogin(url=found.server, token=token, ca_file=ca_file)
