"""A region that is made by hand, held to the rules of the settings' own regions, with the same faults."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import AfterValidator, TypeAdapter, ValidationError

from cosbatch.model.errors import Fault, InvalidArgument
from cosbatch.model.regions import Region
from cosbatch.service.documents import dotted
from cosbatch.service.faults import faults_of
from cosbatch.settings.loading import (
    RegionSettings,
    authority_faults,
    region_name,
    region_of,
    with_defaults_of_provider,
)

_CREDENTIALS: Final = "credentials"
_NAME: Final = TypeAdapter(Annotated[str, AfterValidator(region_name)])


def checked_region(name: str, fields: Mapping[str, Any]) -> Region:
    """``fields`` as they would stand in the settings below the region's name, but without credentials: jobs bring a
    role. A ``ca_file`` is meant from the current folder. InvalidArgument with all faults."""
    faults = [*_name_faults(name), *_credential_faults(fields)]
    wanted = {field: value for field, value in fields.items() if field != _CREDENTIALS}
    try:
        region = RegionSettings.model_validate(with_defaults_of_provider(name, wanted))
    except ValidationError as error:
        faults += faults_of(error, model=RegionSettings, place=dotted, secrets_below=_CREDENTIALS)
        raise _unusable(faults) from None
    ca_file = None if region.ca_file is None else str(Path.cwd() / Path(region.ca_file).expanduser())
    faults += authority_faults("ca_file", ca_file)
    if faults:
        raise _unusable(faults)
    return region_of(name, region.model_copy(update={"ca_file": ca_file}))


def _name_faults(name: str) -> Iterator[Fault]:
    try:
        _NAME.validate_python(name)
    except ValidationError as error:
        yield from faults_of(error, model=RegionSettings, place=lambda _: "name")


def _credential_faults(fields: Mapping[str, Any]) -> Iterator[Fault]:
    if fields.get(_CREDENTIALS) is not None:
        way_out = "leave them out: a job names a role; or declare the region in the settings file"
        yield Fault(path=_CREDENTIALS, value="(hidden)", problem="are kept for declared regions alone", way_out=way_out)


def _unusable(faults: list[Fault]) -> InvalidArgument:
    return InvalidArgument("the region cannot be used", faults=faults)
