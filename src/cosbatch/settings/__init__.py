"""Settings: what the operator decides, from a YAML file and the environment."""

from cosbatch.settings.fields import EnvOrFileSecret, LogFormat
from cosbatch.settings.loading import (
    ENVIRONMENT_PREFIX,
    FILE_NAME,
    CredentialSettings,
    RegionSettings,
    RoleSettings,
    Settings,
    declared_roles,
    find_settings_file,
    known_region,
    load_settings,
    read_credentials,
    region_table,
    render_settings_table,
    variables_of_the_program,
)
from cosbatch.settings.people import AccountSettings, UserSettings
from cosbatch.settings.regions import checked_region
from cosbatch.settings.server import ServerSettings
from cosbatch.settings.webhooks import WebhookSettings

__all__ = [
    "ENVIRONMENT_PREFIX",
    "FILE_NAME",
    "AccountSettings",
    "CredentialSettings",
    "EnvOrFileSecret",
    "LogFormat",
    "RegionSettings",
    "RoleSettings",
    "ServerSettings",
    "Settings",
    "UserSettings",
    "WebhookSettings",
    "checked_region",
    "declared_roles",
    "find_settings_file",
    "known_region",
    "load_settings",
    "read_credentials",
    "region_table",
    "render_settings_table",
    "variables_of_the_program",
]
