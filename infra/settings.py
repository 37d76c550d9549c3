"""Settings, read once at the composition root: environment variables, secret files, and nothing else.

Names are `BURNLINE_<GROUP>__<NAME>`; `ODOO_URL`, `ODOO_DB`, `ODOO_USER` and `ODOO_PASSWORD` are understood too. A secret
may stand in a file named like its variable in the folder `BURNLINE_SECRETS_DIR`. An unknown `BURNLINE_` name is an error, since a
misspelt limit that is silently ignored is worse than none. What a firm decides (thresholds, rules, policies) is not here
but in the YAML file that `BURNLINE_CONFIG` names: see `infra.config`. The groups stand in `infra.setting_groups`.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

import platformdirs
from pydantic import AliasChoices, BaseModel, Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    NestedSecretsSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from infra.embedded_kafka.settings import BrokerSettings
from infra.errors import Fatal
from infra.setting_groups.actions import SCHEDULE, ActionSettings, AssistSettings, MailSettings, OperatorSettings
from infra.setting_groups.kafka import AccessSettings, KafkaSettings, RegistrySettings
from infra.setting_groups.kinds import STRICT
from infra.setting_groups.odoo import CaptureSettings, OdooSettings
from infra.setting_groups.streams import ClockSettings, StreamsSettings
from infra.setting_groups.webhooks import WebhookSettings, WebhookSource

__all__ = [
    "SCHEDULE",
    "AccessSettings",
    "ActionSettings",
    "AssistSettings",
    "CaptureSettings",
    "ClockSettings",
    "DemoSettings",
    "KafkaSettings",
    "MailSettings",
    "OdooSettings",
    "OperatorSettings",
    "RegistrySettings",
    "Settings",
    "StreamsSettings",
    "WebhookSettings",
    "WebhookSource",
    "load_settings",
]


class DemoSettings(BaseModel):
    """Where the demo keeps its firm and its logs."""

    model_config = STRICT
    data_dir: Path = Field(default_factory=lambda: Path(platformdirs.user_cache_dir("burnline")) / "demo")


class Settings(BaseSettings):
    """Everything a process of Burnline is told from outside."""

    model_config = SettingsConfigDict(
        env_prefix="BURNLINE_",
        env_nested_delimiter="__",
        secrets_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        nested_model_default_partial_update=True,
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003  the signature is the library's
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003  as above
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Variables first, then secret files, which may name a member of a group as variables do."""
        return init_settings, env_settings, NestedSecretsSettingsSource(file_secret_settings)

    kafka: KafkaSettings = KafkaSettings()
    access: AccessSettings = AccessSettings()
    broker: BrokerSettings = BrokerSettings()
    odoo: OdooSettings = OdooSettings()
    capture: CaptureSettings = CaptureSettings()
    webhooks: WebhookSettings = WebhookSettings()
    streams: StreamsSettings = StreamsSettings()
    clock: ClockSettings = ClockSettings()
    actions: ActionSettings = ActionSettings()
    mail: MailSettings = MailSettings()
    operator: OperatorSettings = OperatorSettings()
    assist: AssistSettings = AssistSettings()
    registry: RegistrySettings = RegistrySettings()
    demo: DemoSettings = DemoSettings()
    config: Path | None = Field(default=None, validation_alias=AliasChoices("BURNLINE_CONFIG", "config"))
    log_level: Literal["debug", "info", "warning", "error"] = "info"


_PLAIN_NAMES = {"ODOO_URL": "url", "ODOO_DB": "db", "ODOO_USER": "user", "ODOO_PASSWORD": "password"}
_NOT_SETTINGS = {"BURNLINE_CONFIG", "BURNLINE_SECRETS_DIR", "BURNLINE_LOG_LEVEL"}


def _plain(name: str, secrets: str | None) -> str | None:
    """The value of one of Odoo's usual names: of the variable, else of the file in the folder of secrets."""
    if found := os.environ.get(name):
        return found
    if secrets is None:
        return None
    if not Path(secrets).is_dir():
        raise Fatal(f"BURNLINE_SECRETS_DIR: there is no folder {secrets}", remedy="make it, or remove the variable")
    file = Path(secrets) / name
    return file.read_text(encoding="utf-8").strip() if file.is_file() else None


def load_settings() -> Settings:
    """The settings of this process. Raises `Fatal` that names the variable, what is wrong with it, and the remedy."""
    groups = set(Settings.model_fields)
    for name in os.environ:
        if name.startswith("BURNLINE_") and not name.startswith("BURNLINE_TEST_") and name not in _NOT_SETTINGS:
            group, _, rest = name.removeprefix("BURNLINE_").lower().partition("__")
            if group not in groups or not rest:
                raise Fatal(
                    f"{name} is no setting of Burnline",
                    remedy=f"remove it, or use one of the groups {', '.join(sorted(groups))}",
                )
    secrets = os.environ.get("BURNLINE_SECRETS_DIR")
    plain = {field: value for name, field in _PLAIN_NAMES.items() if (value := _plain(name, secrets))}
    try:
        settings = Settings(_secrets_dir=secrets) if secrets else Settings()
        return settings.model_copy(
            update={"odoo": OdooSettings(**{**plain, **settings.odoo.model_dump(exclude_defaults=True)})}
        )
    except SettingsError as error:  # its cause holds the content, which may be a secret
        raise Fatal(
            f"a setting is no JSON: {error}",
            remedy='write it like BURNLINE_WEBHOOKS__SOURCES=\'{"n8n": "whsec_…"}\'',
        ) from None
    except ValidationError as error:
        first = error.errors()[0]
        name = "BURNLINE_" + "__".join(str(part).upper() for part in first["loc"])
        raise Fatal(
            f"{name}: {first['msg'].removeprefix('Value error, ')}",
            remedy=first.get("ctx", {}).get("remedy") or "see `burnline doctor` and the README's table of settings",
        ) from None
