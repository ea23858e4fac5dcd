"""The settings file that ``cosbatch init`` writes: every setting, its meaning and its default, made of the models."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any, Final

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from cosbatch.settings.loading import CredentialSettings, RegionSettings, RoleSettings, Settings
from cosbatch.settings.people import AccountSettings, UserSettings
from cosbatch.settings.prices import PriceSettings, RegionPriceSettings
from cosbatch.settings.server import ServerSettings
from cosbatch.settings.webhooks import WebhookSettings

WIDTH: Final = 100
_HEADING: Final = """\
# Settings of cosbatch. A line such as "#name: value" shows a default; take the mark away to change it.
# Secrets do not stand here, only where they are: env:NAME or file:PATH.
"""
_REGIONS: Final = """
# The region table: jobs name a region, never an endpoint.
regions:
  local:
"""
_ROLES: Final = """
# Roles under which jobs act; they can also be made with cosbatch admin.
#roles:
  #-
"""
_PRICES: Final = """
# What requests and bytes cost. The numbers are made up: write those of your contract.
#prices:
"""
_PEOPLE: Final = """
# Accounts and users can be declared here, or made with cosbatch admin.
"""
_WEBHOOKS: Final = """
# Webhooks, which are told of each change of a job's status, can be declared here, or made with cosbatch admin.
#webhooks:
  #pager:
"""
_EXAMPLES: Final[Mapping[str, Any]] = {
    "endpoint": "http://127.0.0.1:9000",
    "access_key_id": "env:STORE_KEY",
    "secret_access_key": "env:STORE_SECRET",
    "session_token": "env:STORE_TOKEN",
    "ca_file": "ca.pem",
    "requests_per_second": 1000,
    "bytes_per_second": 100_000_000,
    "workers": 2,
    "tls_certificate_file": "tls/certificate.pem",
    "tls_key_file": "tls/key.pem",
    "encryption_key": "file:encryption.key",
    "metrics_token": "env:METRICS_TOKEN",
    "uin": "100000000001",
    "appid": "1250000000",
    "aws_account_id": "123456789012",
    "account": "team",
    "arn": "arn:aws:iam::123456789012:role/batch",
    "requests_per_10000": {"read": 0.01, "write": 0.05, "delete": 0},
    "writes_per_10000_by_class": {"ARCHIVE": 0.5},
    "retrieval_per_gb": {"Bulk": 0.02, "Standard": 0.06},
    "transfer_per_gb": 0.5,
    "provider": "aws-sts",
    "sts_endpoint": "http://127.0.0.1:9000",
    "url": "https://hooks.example.com/cosbatch",
    "secret": "env:WEBHOOK_SECRET",
    "webhooks_ca_file": "ca.pem",
}
"""Of settings without a default of their own."""
_SECTIONS: Final = ("regions", "roles", "server", "accounts", "users", "webhooks", "prices")


def render_settings_file() -> str:
    """YAML that loads as it stands: one region, everything else by default."""
    parts = [
        _HEADING,
        _REGIONS,
        *_lines(RegionSettings, indent=4, but=("credentials",), live=("endpoint",)),
        "    # Where the access key is. Without it only jobs with a role run.\n    credentials:\n",
        *_lines(CredentialSettings, indent=6, live=("access_key_id", "secret_access_key")),
        _ROLES,
        *_lines(RoleSettings, indent=4, but=("credentials",)),
        "    #credentials:\n",
        *_lines(CredentialSettings, indent=6),
        "\n# The service, cosbatch serve.\n#server:\n",
        *_lines(ServerSettings, indent=2),
        _PRICES,
        *_lines(PriceSettings, indent=2, but=("regions",)),
        "  #regions:\n    #local:\n",
        *_lines(RegionPriceSettings, indent=6),
        _PEOPLE,
        "#accounts:\n  #team:\n",
        *_lines(AccountSettings, indent=4),
        "#users:\n  #anna:\n",
        *_lines(UserSettings, indent=4),
        _WEBHOOKS,
        *_lines(WebhookSettings, indent=4),
        "\n# The engine.\n",
        *_lines(Settings, indent=0, but=_SECTIONS),
    ]
    return "".join(parts)


def _lines(
    model: type[BaseModel], *, indent: int, but: tuple[str, ...] = (), live: tuple[str, ...] = ()
) -> Iterator[str]:
    """Those in ``live`` are set; the rest are commented out where they would stand."""
    for name, field in model.model_fields.items():
        if name in but:
            continue
        margin = " " * indent
        for line in textwrap.wrap(field.description or "", WIDTH - indent):
            yield f"{margin}# {line}\n"
        mark = "" if name in live else "#"
        yield f"{margin}{mark}{name}: {_shown(name, field)}\n"


def _shown(name: str, field: FieldInfo) -> str:
    default = None if field.is_required() or field.default_factory is not None else field.default
    value = _EXAMPLES[name] if default in (None, {}) and name in _EXAMPLES else default
    return json.dumps(value.value if isinstance(value, Enum) else value, ensure_ascii=False)
