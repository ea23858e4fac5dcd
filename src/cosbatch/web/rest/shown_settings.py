"""The settings that the service works by. They are changed in its settings file."""

from __future__ import annotations

from typing import Any, Final

from pydantic import Field, StrictBool, StrictFloat, StrictInt, StrictStr

from cosbatch.web.rest.calls import Access, Call
from cosbatch.web.rest.capabilities import TAG
from cosbatch.web.rest.desks import AllDesks
from cosbatch.web.rest.shapes import View

_EXAMPLE: Final[dict[str, Any]] = {
    "version": "1.0.0",
    "items": [
        {
            "name": "retention_days",
            "value": 90.0,
            "is_default": True,
            "description": "A job that has ended so long ago is removed, with its results; delivered reports stay.",
        }
    ],
}


def shown_setting_calls() -> list[Call]:
    return [
        Call(
            method="GET",
            path="/settings",
            answer=list_settings,
            access=Access.ADMIN,
            tag=TAG,
            summary="List the settings that the service works by",
            shape=SettingsView,
            example=_EXAMPLE,
        )
    ]


class SettingView(View):
    name: str = Field(description="As it stands in the settings file, with its section: `server.deletes_allowed`.")
    value: StrictBool | StrictInt | StrictFloat | StrictStr
    is_default: bool = Field(description="Nobody has set it.")
    description: str


class SettingsView(View):
    version: str
    items: list[SettingView]


async def list_settings(desks: AllDesks) -> SettingsView:
    """Numbers and switches; no secrets, no paths of the host, no names of accounts and buckets. A change takes the
    settings file and a new start of the service."""
    return SettingsView(
        version=desks.version,
        items=[
            SettingView(name=each.name, value=each.value, is_default=each.is_default, description=each.description)
            for each in desks.settings
        ],
    )
