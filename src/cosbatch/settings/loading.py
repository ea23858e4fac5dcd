"""Settings: the region table and the engine's knobs, from a YAML file and the environment (``COSBATCH_*`` wins).

A secret is never written here, only where it can be read: ``env:NAME`` or ``file:PATH``. No message shows what stands
in a credentials field, or in a field that is not known: it may be a secret in a wrong place.
"""

from __future__ import annotations

import json
import os
import re
import ssl
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar
from urllib.parse import urlsplit

import platformdirs
from pydantic import (
    AfterValidator,
    BaseModel,
    Field,
    PlainValidator,
    StrictStr,
    ValidationError,
    field_validator,
)
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError

from cosbatch.identity.credentials import Credentials
from cosbatch.model.arns import parse_role_arn
from cosbatch.model.errors import Fault, InvalidArgument
from cosbatch.model.identifiers import LOCAL_ACCOUNT, Bucket, RegionName
from cosbatch.model.principals import Role, RoleProvider
from cosbatch.model.regions import Addressing, Provider, Region
from cosbatch.service.documents import Document, dotted, read_document
from cosbatch.service.documents import Path as FieldPath
from cosbatch.service.faults import faults_of, nearest, refused
from cosbatch.service.people_names import account_id
from cosbatch.settings.fields import EnvOrFileSecret, LogFormat, Secret, Section, file_path
from cosbatch.settings.people import AccountSettings, UserSettings, principal_name
from cosbatch.settings.prices import PriceSettings, RegionPriceSettings
from cosbatch.settings.server import ServerSettings
from cosbatch.settings.webhooks import WebhookSettings, webhook_name
from cosbatch.storage.profiles import PROFILES, Option, Support

FILE_NAME: Final = "cosbatch.yaml"
ENVIRONMENT_PREFIX: Final = "COSBATCH_"
S = TypeVar("S", bound=BaseModel)
EXTERNAL_ID_PATTERN: Final = r"^([A-Za-z0-9_+=,.@:/-]{2,128})?$"
"""2 to 128 characters, as AWS's STS and Tencent's take them; or none."""
_ENDPOINT: Final = re.compile(r"https?://(?:\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(?::[0-9]{1,5})?")
_REGION_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


# --- fields


def _endpoint(text: str) -> str:
    bare = text.removesuffix("/")
    try:
        is_endpoint = bool(_ENDPOINT.fullmatch(bare)) and urlsplit(bare).port != 0
    except ValueError:  # a port above 65535, or no address in the brackets
        is_endpoint = False
    if not is_endpoint:
        raise refused(
            "is no endpoint",
            way_out="write http[s]://host[:port], a port from 1 to 65535, without a path, a bucket or a user",
        )
    return bare


def _provider(value: Any) -> Provider:
    try:
        return Provider(value)
    except ValueError:
        raise refused("is no provider", way_out="write s3 or cos") from None


def _role_arn(text: str) -> str:
    if parse_role_arn(text) is None:
        raise refused(
            "is no role name",
            way_out="write qcs::cam::uin/<uin>:roleName/<name> or arn:aws:iam::<account>:role/<name>",
        )
    return text


def _profile(text: str) -> str:
    if text not in PROFILES:
        raise refused("is no capability profile", way_out=nearest(text, known=PROFILES))
    return text


class CredentialSettings(Section):
    """Where a region's access key is."""

    access_key_id: Secret = Field(description="Access key id (COS: SecretId).")
    secret_access_key: Secret = Field(description="Secret key (COS: SecretKey).")
    session_token: Secret | None = Field(default=None, description="Session token of temporary credentials.")


class RegionSettings(Section):
    """A named place with an endpoint: job files name it."""

    provider: Annotated[Provider, PlainValidator(_provider)] = Field(
        default=Provider.S3,
        description="The protocol that is spoken: `s3`, or `cos` for COS's own (then the next three and"
        " `signing_region` need not be there).",
    )
    endpoint: Annotated[StrictStr, AfterValidator(_endpoint)] = Field(
        description="`http[s]://host[:port]`. Of `cos` it may be left out: `https://cos.<signing_region>.myqcloud.com`."
    )
    addressing: Addressing = Field(
        default=Addressing.PATH,
        description="Where the bucket stands: `path` or `virtual-host` (S3, and the default of `cos`).",
    )
    profile: Annotated[StrictStr, AfterValidator(_profile)] = Field(
        default="generic",
        description=f"What the store can do: {', '.join(f'`{name}`' for name in PROFILES)}. Of `cos`: `cos`.",
    )
    profile_overrides: dict[Option, Support] = Field(
        default={}, description="Single options of the profile, `option: applied | emulated | refused`."
    )
    storage_classes: list[StrictStr] = Field(
        default=[], description="Storage classes that a job may ask for; default: those of the profile."
    )
    signing_region: Annotated[StrictStr, Field(min_length=1)] = Field(
        default="us-east-1",
        description="What the store calls the region; COS and S3: the region itself. Of `cos`: the name in this table.",
    )
    ca_file: Annotated[StrictStr, AfterValidator(file_path)] | None = Field(
        default=None, description="PEM file with the authorities to trust; default: the system's."
    )
    credentials: CredentialSettings | None = Field(
        default=None,
        description="Where the access key is: each `env:NAME` or `file:PATH`. Without one only jobs with a role run.",
    )
    requests_per_second: float | None = Field(
        default=None, gt=0, description="Cap over all workers, for each bucket; default: as fast as the store takes it."
    )
    bytes_per_second: float | None = Field(
        default=None,
        gt=0,
        description="Cap over all processes, for each bucket, on bytes that go through the engine, both ways together:"
        " copies between stores, lists, reports. What a store copies by itself is not counted. Default: none.",
    )
    max_connections: int = Field(
        default=256, ge=1, le=10_000, description="Connections of one worker process to one bucket."
    )


def region_name(name: str) -> str:
    if not _REGION_NAME.fullmatch(name):
        raise refused("is no name for a region", way_out="use letters, digits, dots and hyphens, 64 at most")
    return name


def with_defaults_of_provider(name: Any, region: Any) -> Any:
    """A region as it stands in the settings, with what goes without saying in COS."""
    if not isinstance(region, Mapping) or region.get("provider") != Provider.COS:
        return region
    defaults = {"signing_region": name, "profile": "cos", "addressing": Addressing.VIRTUAL_HOST}
    called = region.get("signing_region", name)
    if isinstance(called, str) and _REGION_NAME.fullmatch(called):
        defaults["endpoint"] = f"https://cos.{called}.myqcloud.com"
    return {**defaults, **region}


def _cores() -> int:
    return len(os.sched_getaffinity(0))


class RoleSettings(Section):
    """A role under which jobs may act, declared: in the registry it can be used and not be changed."""

    arn: Annotated[StrictStr, AfterValidator(_role_arn)] = Field(
        description="`qcs::cam::uin/<uin>:roleName/<name>` or `arn:aws:iam::<account>:role/<name>`."
    )
    account: StrictStr = Field(
        default="", description="Name of the account whose jobs may use it; default: jobs of `cosbatch run`."
    )
    provider: RoleProvider = Field(
        description="Who gives its credentials: " + ", ".join(f"`{provider}`" for provider in RoleProvider) + "."
    )
    credentials: CredentialSettings = Field(
        description="Where the access key that assumes it is, or for `stored` its credentials."
    )
    external_id: Annotated[StrictStr, Field(pattern=EXTERNAL_ID_PATTERN)] = Field(
        default="", description="What the role's trust policy asks for beside the key; on Ceph leave it out."
    )
    sts_endpoint: Annotated[StrictStr, AfterValidator(_endpoint)] | None = Field(
        default=None, description="`http[s]://host[:port]` of the STS; default: the provider's own in the cloud."
    )
    sts_region: StrictStr = Field(default="", description="The region's name that the STS is asked in.")
    writable_buckets: list[Annotated[StrictStr, Field(min_length=1)]] = Field(
        default=[], description="Buckets that jobs under it may write or delete from; default: any that it may."
    )
    description: StrictStr = Field(default="", description="For people.")


class Settings(BaseSettings):
    """Everything that the operator decides."""

    model_config = SettingsConfigDict(env_prefix=ENVIRONMENT_PREFIX, extra="forbid", frozen=True, allow_inf_nan=False)

    regions: dict[Annotated[str, AfterValidator(region_name)], RegionSettings] = Field(
        default={}, description="The region table: name -> region. Job files name a region, never an endpoint."
    )
    server: ServerSettings = Field(default=ServerSettings(), description="The service, `cosbatch serve`.")
    accounts: dict[Annotated[str, AfterValidator(principal_name)], AccountSettings] = Field(
        default={}, description="Accounts of the service that are declared here: name -> numbers."
    )
    users: dict[Annotated[str, AfterValidator(principal_name)], UserSettings] = Field(
        default={}, description="Users of the service that are declared here: name -> account, role."
    )
    roles: list[RoleSettings] = Field(default=[], description="Roles under which jobs may act.")
    log_format: LogFormat = Field(
        default=LogFormat.JSON,
        description="Lines of `cosbatch.log`: `json`, an object each, or `console`, for eyes alone.",
    )
    webhooks: dict[Annotated[str, AfterValidator(webhook_name)], WebhookSettings] = Field(
        default={}, description="Addresses that are told of each change of a job's status: name -> address, secret."
    )
    prices: PriceSettings = Field(default=PriceSettings(), description="What requests and bytes cost, for estimates.")
    workers: int = Field(
        default_factory=_cores, ge=1, le=1024, description="Worker processes; default: the number of cores."
    )
    lease_seconds: float = Field(
        default=30, ge=3, le=3600, description="How long a worker holds its chunks without a renewal."
    )
    poll_seconds: float = Field(
        default=0.25, gt=0, le=60, description="How often work and changes of status are looked for."
    )
    connect_timeout_seconds: float = Field(
        default=10, gt=0, le=600, description="Longest wait for a connection to a store, TLS included."
    )
    request_timeout_seconds: float = Field(
        default=60,
        gt=0,
        le=3600,
        description="Longest wait for the answer to one request; five times that where the answer comes bit by bit.",
    )
    checkpoint_seconds: float = Field(
        default=60, gt=0, le=3600, description="Results do not stay uncommitted for longer."
    )
    hold_limit_seconds: float = Field(
        default=6 * 3600, gt=0, description="A job fails when a bucket of it has not answered for so long."
    )
    settle_limit_seconds: float = Field(
        default=600, gt=0, description="How long an ending job tries to find out what lost requests came to."
    )
    suspended_expiry_days: float = Field(
        default=30, gt=0, description="A job that waits for its confirmation for longer fails."
    )
    retention_days: float = Field(
        default=90,
        gt=0,
        description="A job that has ended so long ago is removed, with its results; delivered reports stay.",
    )
    max_unfinished_jobs: int = Field(
        default=1000, ge=1, description="At most so many jobs of one account that have not ended."
    )
    report_limit_hours: float = Field(default=24, gt=0, description="How long the delivery of a report is retried.")
    min_free_spool_share: float = Field(
        default=0.2, ge=0, lt=1, description="Planning stops below this share of free space in the work area."
    )
    chunk_rows: int = Field(
        default=1000, ge=1, le=10_000, description="Rows of a chunk, the unit that a worker claims."
    )

    @field_validator("regions", mode="before")
    @classmethod
    def _fill_in_regions(cls, regions: Any) -> Any:
        if not isinstance(regions, Mapping):
            return regions
        return {name: with_defaults_of_provider(name, region) for name, region in regions.items()}

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment wins over the file."""
        return env_settings, init_settings


# --- loading


def load_settings(config: Path | None = None, *, folder: Path | None = None) -> Settings:
    """The settings of ``config``, or of the first place of :func:`find_settings_file` that has a file; without one, the
    defaults and an empty region table. ``folder`` is the current one where it is not given.

    Raises InvalidArgument with all faults, each with its line; also where a ``ca_file`` cannot be used.
    """
    path = find_settings_file(config, environ=os.environ, folder=folder or Path.cwd())
    document = _read(path) if path else Document(content={}, source="the environment", lines={})
    try:
        settings = Settings(**{name: value for name, value in document.content.items() if value is not None})
    except ValidationError as error:
        faults = faults_of(
            error, model=Settings, place=lambda path: _place(path, document), secrets_below="credentials"
        )
        raise InvalidArgument(f"the settings in {document.source} cannot be used", faults=faults) from None
    except (SettingsError, RecursionError) as error:
        raise InvalidArgument(f"the settings in the environment cannot be used: {error}") from None
    settings = _with_whole_paths(settings, folder=path.parent) if path else settings
    faults = list(_faults_between_fields(settings, document=document))
    if faults:
        raise InvalidArgument(f"the settings in {document.source} cannot be used", faults=faults)
    return settings


def find_settings_file(config: Path | None, *, environ: Mapping[str, str], folder: Path) -> Path | None:
    """``config``, ``COSBATCH_CONFIG``, ``./cosbatch.yaml``, the user's config folder. What is named must be there."""
    named = config or (Path(environ["COSBATCH_CONFIG"]) if environ.get("COSBATCH_CONFIG") else None)
    if named is None:
        places = (folder / FILE_NAME, platformdirs.user_config_path("cosbatch") / FILE_NAME)
        return next((place for place in places if place.is_file()), None)
    if not named.is_file():
        path = "--config" if config else "COSBATCH_CONFIG"
        fault = Fault(path=path, value=str(named), problem="is no file", way_out="name a settings file that exists")
        raise InvalidArgument("there is no such settings file", faults=[fault])
    return named


def _read(path: Path) -> Document:
    try:
        return read_document(path.read_text(encoding="utf-8"), source=str(path))
    except (OSError, UnicodeDecodeError) as error:
        fault = Fault(path=str(path), value="", problem=f"cannot be read: {error}")
        raise InvalidArgument("the settings file cannot be read", faults=[fault]) from error


def _place(path: FieldPath, document: Document) -> str:
    """The path with its line; or with the variable that sets it, since no line of the file is to blame then.

    A table in a variable is merged into the file's: whichever has more of the path is to blame.
    """
    variables = {name.upper(): name for name in os.environ}
    variable = variables.get(f"{ENVIRONMENT_PREFIX}{path[0]}".upper())
    in_file = next((length for length in range(len(path), 0, -1) if path[:length] in document.lines), 0)
    if variable is None or _steps_found(os.environ[variable], path) < in_file:
        return document.place(path)
    return f"{dotted(path)} ({variable})"


def _steps_found(text: str, path: FieldPath) -> int:
    """How much of ``path`` there is in a variable that sets its first step."""
    try:
        here = json.loads(text)
    except ValueError:
        return 1
    found = 1
    for step in path[1:]:
        if not isinstance(here, Mapping) or step not in here:
            break
        here, found = here[step], found + 1
    return found


def _faults_between_fields(settings: Settings, *, document: Document) -> Iterator[Fault]:
    """What no field can know by itself."""
    for name, region in settings.regions.items():
        yield from authority_faults(_place(("regions", name, "ca_file"), document), region.ca_file)
    server = settings.server
    if (server.tls_certificate_file is None) != (server.tls_key_file is None):
        missing = "tls_key_file" if server.tls_key_file is None else "tls_certificate_file"
        path = _place(("server", missing), document)
        yield Fault(path=path, value="", problem="is missing", way_out="TLS needs the certificate's file and its key's")
    yield from authority_faults(_place(("server", "webhooks_ca_file"), document), server.webhooks_ca_file)


def authority_faults(path: str, ca_file: str | None) -> Iterator[Fault]:
    """Where the file of a region's authorities cannot be used."""
    if ca_file and (problem := _authority_problem(ca_file)):
        yield Fault(path=path, value=ca_file, problem=problem, way_out="name a PEM file with certificates")


def _authority_problem(ca_file: str) -> str:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=ca_file)
    except ssl.SSLError:
        return "holds no certificate"
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    return ""


def _with_whole_paths(settings: Settings, *, folder: Path) -> Settings:
    """A path in the file is meant from the file's own folder."""
    regions = {name: _section_with_whole_paths(region, folder=folder) for name, region in settings.regions.items()}
    server = _section_with_whole_paths(settings.server, folder=folder)
    roles = [_section_with_whole_paths(role, folder=folder) for role in settings.roles]
    webhooks = {name: _section_with_whole_paths(hook, folder=folder) for name, hook in settings.webhooks.items()}
    whole = {"regions": regions, "server": server, "roles": roles, "webhooks": webhooks}
    return settings.model_copy(update=whole)


def _section_with_whole_paths(section: S, *, folder: Path) -> S:
    return section.model_copy(
        update={
            name: _whole(name, value, folder=folder)
            for name in type(section).model_fields
            if (value := getattr(section, name)) is not None
        }
    )


def _whole(name: str, value: Any, *, folder: Path) -> Any:
    if isinstance(value, EnvOrFileSecret):
        return value.within(folder)
    if isinstance(value, CredentialSettings):
        return _section_with_whole_paths(value, folder=folder)
    return str(folder / Path(value).expanduser()) if name.endswith("_file") else value


# --- what the rooms get


def region_table(settings: Settings) -> dict[RegionName, Region]:
    """The regions as values, without their secrets."""
    return {RegionName(name): region_of(name, region) for name, region in settings.regions.items()}


def known_region(settings: Settings, name: RegionName) -> RegionSettings:
    """InvalidArgument, which names it and the ones that there are, where the settings have no such region."""
    if name in settings.regions:
        return settings.regions[name]
    known = ", ".join(sorted(settings.regions))
    fault = Fault(
        path="regions",
        value=name,
        problem="has no such region",
        way_out=f"known are {known}" if known else "add it to the settings file",
    )
    raise InvalidArgument("the region is not known", faults=[fault])


def region_of(name: str, region: RegionSettings) -> Region:
    """As a value, without its credentials."""
    return Region(
        name=RegionName(name),
        provider=region.provider,
        endpoint=region.endpoint,
        profile=region.profile,
        signing_region=region.signing_region,
        addressing=region.addressing,
        ca_file=region.ca_file,
        requests_per_second=region.requests_per_second,
        bytes_per_second=region.bytes_per_second,
        max_connections=region.max_connections,
        storage_classes=tuple(region.storage_classes),
        profile_overrides=tuple((option.value, support.value) for option, support in region.profile_overrides.items()),
    )


def read_credentials(
    settings: Settings, region: RegionName, *, environ: Mapping[str, str] | None = None
) -> Credentials:
    """Reads a region's access key from where the settings say it is. InvalidArgument where it is not there."""
    places = known_region(settings, region).credentials
    path = f"regions.{region}.credentials"
    if places is None:
        way_out = "add them, or name a role in the job"
        fault = Fault(path=path, value="", problem="are not in the settings", way_out=way_out)
        raise InvalidArgument(f"nobody is known who may use region {region}", faults=[fault])
    return _read_places(places, path=f"regions.{region}.credentials", environ=environ)


def variables_of_the_program(settings: Settings) -> frozenset[str]:
    """The environment variables whose secrets the program alone reads: what seals the ledger's secrets, what assumes
    roles, what operators show, what signs messages to webhooks. None that a region needs too: its credentials are read
    by workers."""
    sources = [settings.server.encryption_key, settings.server.metrics_token]
    sources += [webhook.secret for webhook in settings.webhooks.values()]
    sources += [place for role in settings.roles for place in _places(role.credentials)]
    of_regions = [place for region in settings.regions.values() for place in _places(region.credentials)]
    return _variables(sources) - _variables(of_regions)


def _places(credentials: CredentialSettings | None) -> list[EnvOrFileSecret | None]:
    if credentials is None:
        return []
    return [credentials.access_key_id, credentials.secret_access_key, credentials.session_token]


def _variables(sources: Iterable[EnvOrFileSecret | None]) -> frozenset[str]:
    return frozenset(source.name for source in sources if source is not None and source.kind == "env")


def declared_roles(settings: Settings) -> list[tuple[Role, Callable[[], Credentials]]]:
    """The roles as values, each with what reads its secret: InvalidArgument where that is not there. InvalidArgument
    where an account has two of one ARN."""
    declared = [(_role(role), partial(_read_role_key, role, number)) for number, role in enumerate(settings.roles)]
    for number, (role, _) in enumerate(declared):
        if any((other.account, other.arn) == (role.account, role.arn) for other, _ in declared[:number]):
            fault = Fault(
                path=f"roles[{number}].arn", value=role.arn, problem="is declared twice", way_out="leave one out"
            )
            raise InvalidArgument("the roles of the settings cannot be used", faults=[fault])
    return list(declared)


def _role(role: RoleSettings) -> Role:
    return Role(
        arn=role.arn,
        account=account_id(role.account) if role.account else LOCAL_ACCOUNT,
        provider=role.provider,
        created_at=0.0,
        description=role.description,
        external_id=role.external_id,
        sts_endpoint=role.sts_endpoint or "",
        sts_region=role.sts_region,
        is_declared=True,
        writable_buckets=tuple(Bucket(name) for name in role.writable_buckets),
    )


def _read_role_key(role: RoleSettings, number: int) -> Credentials:
    return _read_places(role.credentials, path=f"roles[{number}].credentials", environ=None)


def _read_places(places: CredentialSettings, *, path: str, environ: Mapping[str, str] | None) -> Credentials:
    surroundings = os.environ if environ is None else environ
    return Credentials(
        access_key_id=places.access_key_id.read(path=f"{path}.access_key_id", environ=surroundings),
        secret_access_key=places.secret_access_key.read(path=f"{path}.secret_access_key", environ=surroundings),
        session_token=(
            places.session_token.read(path=f"{path}.session_token", environ=surroundings)
            if places.session_token
            else ""
        ),
    )


# --- documentation


def render_settings_table() -> str:
    """The settings as a Markdown table, for the documentation."""
    rows = ["| Setting | Default | Unit | What it does |", "|---|---|---|---|"]
    rows += _rows(Settings, prefix="", but=("regions", "roles", "server", "accounts", "users", "webhooks", "prices"))
    rows += _rows(RegionSettings, prefix="regions.NAME.", but=("credentials",))
    rows += _rows(CredentialSettings, prefix="regions.NAME.credentials.", but=())
    rows += _rows(RoleSettings, prefix="roles[].", but=("credentials",))
    rows += _rows(CredentialSettings, prefix="roles[].credentials.", but=())
    rows += _rows(ServerSettings, prefix="server.", but=())
    rows += _rows(PriceSettings, prefix="prices.", but=("regions",))
    rows += _rows(RegionPriceSettings, prefix="prices.regions.NAME.", but=())
    rows += _rows(AccountSettings, prefix="accounts.NAME.", but=())
    rows += _rows(UserSettings, prefix="users.NAME.", but=())
    rows += _rows(WebhookSettings, prefix="webhooks.NAME.", but=())
    return "\n".join(rows) + "\n"


def _rows(model: type[BaseModel], *, prefix: str, but: tuple[str, ...]) -> list[str]:
    return [
        f"| `{prefix}{name}` | {_default(field)} | {_unit(name)} | {_cell(field.description or '')} |"
        for name, field in model.model_fields.items()
        if name not in but
    ]


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _default(field: Any) -> str:
    if field.is_required():
        return "required"
    if field.default_factory is not None:
        return "see there"
    default = getattr(field.default, "value", field.default)
    return "none" if default in (None, "", {}, []) else f"`{default}`"


def _unit(name: str) -> str:
    """Units stand in names."""
    for unit in ("seconds", "hours", "days", "share", "rows", "bytes"):
        if name.endswith(f"_{unit}") and not name.endswith("per_second"):
            return unit
    if name == "bytes_per_second":
        return "bytes/s"
    return "requests/s" if name.endswith("per_second") else ""
