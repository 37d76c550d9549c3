"""Settings, read once at the composition root: environment variables, secret files, and nothing else.

Names are `BURNLINE_<GROUP>__<NAME>`; `ODOO_URL`, `ODOO_DB`, `ODOO_USER` and `ODOO_PASSWORD` are understood too. A secret
may stand in a file named like its variable in the folder `BURNLINE_SECRETS_DIR`. An unknown `BURNLINE_` name is an error, since a
misspelt limit that is silently ignored is worse than none. What a firm decides (thresholds, rules, policies) is not here
but in the YAML file that `BURNLINE_CONFIG` names: see `infra.config`.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

import platformdirs
from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    FilePath,
    IPvAnyNetwork,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_core import PydanticCustomError
from pydantic_settings import (
    BaseSettings,
    NestedSecretsSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from infra.embedded_kafka.settings import BrokerSettings
from infra.errors import Fatal
from schemas.topics import STEPS_KEPT

Seconds = Annotated[float, Field(gt=0)]
PerSecond = Annotated[float, Field(gt=0)]
Port = Annotated[int, Field(ge=0, le=65535)]
Principal = Annotated[str, Field(pattern=r"^[A-Za-z]+:[^*]+$")]
SCHEDULE = (5.0, 300.0, 1_800.0, 7_200.0, 18_000.0, 36_000.0, 50_400.0, 72_000.0, 86_400.0)
"""The example of the Standard Webhooks specification: ten attempts in a little over three days."""
STRICT = ConfigDict(extra="forbid", frozen=True)


def _address(url: str) -> str:
    """The address without a final slash. Raises `ValueError` for what is none, or holds a password, which would be logged."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("write it like https://registry.example.com:8081")
    if parts.username or parts.password:
        raise ValueError("user and password have settings of their own")
    return url.rstrip("/")


class KafkaSettings(BaseModel):
    """How to reach the brokers. Without addresses, `burnline` looks for a container engine, then starts its own broker.

    `max_message_bytes` is the topics' `max.message.bytes`: no record larger than that is sent, and it can only be raised.
    """

    model_config = STRICT
    bootstrap_servers: str | None = None
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] | None = None
    sasl_username: str | None = None
    sasl_password: SecretStr | None = None
    ssl_ca_location: Path | None = None
    ssl_certificate_location: Path | None = None
    ssl_key_location: Path | None = None
    replication_factor: Annotated[int, Field(ge=1, le=10)] = 1
    max_message_bytes: Annotated[int, Field(ge=1_048_588, le=50_000_000)] = 1_048_588


class AccessSettings(BaseModel):
    """Who plays which role on the cluster, as the broker knows them (`User:…`): for each role one principal, several, or none.

    A role that is not named here is played by `User:burnline-<role>`. The roles are those of `infra.kafka.access`.
    """

    model_config = STRICT
    principals: dict[
        str, Annotated[tuple[Principal, ...], BeforeValidator(lambda one: (one,) if isinstance(one, str) else one)]
    ] = Field(default_factory=dict)


class OdooSettings(BaseModel):
    """How to reach Odoo. Without a URL, `burnline demo` starts the embedded one.

    `transport` is asked of the server unless it is set. `requests_per_second` and `share` (of the time, 1 is all of it) are the most
    that each process asks of Odoo.
    """

    model_config = STRICT
    url: str | None = None
    db: str | None = None
    user: str = "admin"
    password: SecretStr | None = None
    timeout: Seconds = 60.0
    transport: Literal["auto", "jsonrpc", "json2"] = "auto"
    requests_per_second: Annotated[float, Field(gt=0, le=10_000)] = 100.0
    share: Annotated[float, Field(gt=0, le=1)] = 1.0


class CaptureSettings(BaseModel):
    """How the capture polls. `overlap` must be longer than Odoo's longest transaction.

    Passes are `poll_interval` seconds apart while something changes, and up to `idle_interval` while nothing does. Every `sweep_interval` the sums of both
    sides are compared, and at every `content_every`-th sweep each record. More than `deletion_share` of a model's records gone at once are not believed.
    With a `log_topic`, where Debezium's connector tells what happens in Odoo's database, it polls only while nothing was heard of the
    connector for `log_silence` seconds. Its figures for Prometheus are at `metrics`, host and port.
    """

    model_config = STRICT
    poll_interval: Seconds = 0.5
    idle_interval: Seconds = 2.0
    overlap: Seconds = 150.0
    sweep_interval: Seconds = 60.0
    content_every: Annotated[int, Field(ge=1, le=10_000)] = 10
    deletion_share: Annotated[float, Field(ge=0, le=1)] = 0.2
    page_size: Annotated[int, Field(ge=10, le=10_000)] = 1000
    metrics: str | None = None
    log_topic: Annotated[str, Field(pattern=r"^[a-zA-Z0-9._-]{1,200}$")] | None = None
    log_silence: Seconds = 30.0


class WebhookSource(BaseModel):
    """One sender: its Standard Webhooks secret (`whsec_…`), its kind, the networks it may call from (all, if none is named), and its rate.

    While one secret replaces another, both stand there, apart by a space. The `kind` says what it may speak of (docs/webhooks.md); it may be
    left out where the source is named like it. Without a `rate`, that of all sources holds.
    """

    model_config = STRICT
    secret: SecretStr
    kind: str | None = None
    allow: tuple[IPvAnyNetwork, ...] = ()
    rate: PerSecond | None = None


class WebhookSettings(BaseModel):
    """Where deliveries come in.

    `sources` maps a sender's name to its secret, or to an object with more about it. `odoo_token` is the part of the address that Odoo's own
    posts are known by; while one replaces another, both stand there, apart by a space. A sender behind one of `proxies` is the one that
    these name. `rate` is of posts a second of each source, twice as many at once. What was accepted is kept in `spool_dir`, at most
    `spool_max_bytes` of it, until Kafka has it; a delivery is known again for `remember` seconds. `ack_timeout` bounds the wait for the
    disk, `odoo_ack_timeout` the wait that Odoo's users feel: Odoo gives up after one second.
    """

    model_config = STRICT
    host: str = "127.0.0.1"
    port: Port = 8787
    sources: dict[
        str, Annotated[WebhookSource, BeforeValidator(lambda one: {"secret": one} if isinstance(one, str) else one)]
    ] = Field(default_factory=dict)
    odoo_token: SecretStr | None = None
    odoo_allow: tuple[IPvAnyNetwork, ...] = ()
    proxies: tuple[IPvAnyNetwork, ...] = ()
    rate: PerSecond = 1000.0
    max_body_bytes: Annotated[int, Field(ge=1024, le=10_000_000)] = 262_144
    max_depth: Annotated[int, Field(ge=1, le=100)] = 32
    tolerance: Seconds = 300.0
    remember: Seconds = 259_200.0
    ack_timeout: Seconds = 5.0
    odoo_ack_timeout: Annotated[float, Field(gt=0, lt=1)] = 0.05
    spool_dir: Path = Field(default_factory=lambda: Path(platformdirs.user_state_dir("burnline")) / "webhooks")
    spool_max_bytes: Annotated[int, Field(ge=100_000)] = 1_073_741_824


class StreamsSettings(BaseModel):
    """How a worker runs. `instance` is stable across restarts: it is the worker's identity to the broker.

    A batch ends with the first of `batch_records` and `batch_bytes`; the client reads ahead as much again, and no more. `standbys` other
    workers follow each state, to take it over without restoring it. States take `memory_mb` megabytes of memory together, those that are
    followed included; subjects beyond that which nothing moves are put away under `data_dir`. `advertised_url` is where the other workers' clients find this one's
    pages; by default where they are served. Who asks for a state from elsewhere than this machine needs `state_token`; while one replaces
    another, both stand there, apart by a space.
    """

    model_config = STRICT
    instance: str = "worker-0"
    group: str = "burnline.streams"
    batch_records: Annotated[int, Field(ge=1, le=100_000)] = 20_000
    batch_bytes: Annotated[int, Field(ge=100_000, le=100_000_000)] = 8_000_000
    linger: Annotated[float, Field(ge=0, le=5)] = 0.005
    session_timeout: Seconds = 10.0
    transaction_timeout: Seconds = 30.0
    checkpoint_every: Seconds = 300.0
    memory_mb: Annotated[float, Field(ge=0)] = 2000
    standbys: Annotated[int, Field(ge=0, le=10)] = 1
    web_host: str = "127.0.0.1"
    web_port: Port = 6066
    advertised_url: Annotated[str, AfterValidator(_address)] | None = None
    state_token: SecretStr | None = None
    data_dir: Path = Field(default_factory=lambda: Path(platformdirs.user_cache_dir("burnline")) / "streams")


class ClockSettings(BaseModel):
    """How often the clock ticks."""

    model_config = STRICT
    period: Annotated[int, Field(ge=1, le=86_400)] = 60


def _while_steps_are_kept(oldest: float) -> float:
    """The age. Raises where the step that ended an action may be gone while its alert is still acted upon: it would be done again."""
    kept = int(STEPS_KEPT) / 1000
    if oldest >= kept:
        raise PydanticCustomError(
            "beyond_the_ledger",
            "alerts of {oldest} seconds would be acted upon, and what was done about them is only known for {kept}",
            {
                "oldest": f"{oldest:,.0f}",
                "kept": f"{kept:,.0f}",
                "remedy": f"set less than {kept:.0f} seconds ({kept / 86_400:.0f} days), the time for which governance.action.v1 keeps every step (docs/adr/0035)",
            },
        )
    return oldest


class ActionSettings(BaseModel):
    """How actions are carried out.

    `schedule` has the seconds to wait after the first failure, the second, and so on (Standard Webhooks); after the last the action is
    given up, and so it is where a target asks for more than `longest_wait`. `oldest` is how old an alert may be to be acted upon: less
    than every step of an action is kept.
    `in_flight` alerts at most are kept in memory, those that wait for another attempt among them. Another runner takes over from one
    that was killed after `session_timeout` seconds.

    Only public addresses are called, with TLS, but for those in `allowed_networks`; `ssl_ca_location` adds the firm's own authorities.
    `webhook_secrets` maps the names that the policy uses to Standard Webhooks secrets (`whsec_…`), `chat_urls` to addresses of Slack and
    Teams, which are secrets too.
    """

    model_config = STRICT
    group: str = "consumers.actions"
    schedule: Annotated[tuple[Seconds, ...], Field(max_length=30)] = SCHEDULE
    longest_wait: Seconds = 86_400.0
    timeout: Seconds = 15.0
    oldest: Annotated[Seconds, AfterValidator(_while_steps_are_kept)] = 7 * 86_400.0
    session_timeout: Seconds = 10.0
    in_flight: Annotated[int, Field(ge=1, le=1_000_000)] = 20_000
    allowed_networks: tuple[IPvAnyNetwork, ...] = ()
    ssl_ca_location: FilePath | None = None
    webhook_secrets: dict[str, SecretStr] = Field(default_factory=dict)
    chat_urls: dict[str, SecretStr] = Field(default_factory=dict)


def _model_address(url: str) -> str:
    """The address. Raises `ValueError` for one that would be asked without encryption, but for this machine's."""
    checked = _address(url)
    parts = urlsplit(checked)
    if parts.scheme != "https" and parts.hostname not in {"localhost", "127.0.0.1", "::1"}:
        raise ValueError("write it with https: what is asked is the firm's own")
    return checked


class AssistSettings(BaseModel):
    """What the assistant may ask, and what it may tell. Without `model_url` it goes by rules alone.

    `share` is the highest class of fields that a model is told: internal, or confidential. Fields of class personal are never told.
    """

    model_config = STRICT
    model_url: Annotated[str, AfterValidator(_model_address)] | None = None
    model_token: SecretStr | None = None
    timeout: Annotated[float, Field(gt=0, le=60)] = 5.0
    share: Literal["internal", "confidential"] = "internal"


class MailSettings(BaseModel):
    """The mail server that actions send by. Its certificate is verified; `none` is for a relay on this very machine."""

    model_config = STRICT
    host: str | None = None
    port: Port = 587
    tls: Literal["starttls", "tls", "none"] = "starttls"
    user: str | None = None
    password: SecretStr | None = None
    sender: Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$")] | None = None
    ssl_ca_location: FilePath | None = None
    timeout: Seconds = 30.0

    @model_validator(mode="after")
    def _nothing_in_the_clear(self) -> Self:
        if (self.user is None) is not (self.password is None):
            raise ValueError("user and password go together")
        if self.tls == "none" and self.host not in {None, "localhost", "127.0.0.1", "::1"}:
            raise ValueError("without TLS only a mail server on this machine is used")
        return self


class OperatorSettings(BaseModel):
    """Who is at the command line. Where the broker checks names (SASL), its name counts, and not this one."""

    model_config = STRICT
    name: Annotated[str, Field(min_length=1, max_length=100)] | None = None


class RegistrySettings(BaseModel):
    """A Confluent-compatible schema registry. Without a URL, the bundled one: the released schemas and their numbers.

    A request that has no answer within `timeout` seconds failed; one that failed is tried again for `patience` seconds. The numbers
    it gave are remembered in `cache_dir`, so that a process that knows them starts while the registry is down.
    """

    model_config = STRICT
    url: Annotated[str, AfterValidator(_address)] | None = None
    user: str | None = None
    password: SecretStr | None = None
    ssl_ca_location: FilePath | None = None
    timeout: Annotated[float, Field(gt=0, le=60)] = 5.0
    patience: Annotated[float, Field(ge=0, le=300)] = 15.0
    cache_dir: Path = Field(default_factory=lambda: Path(platformdirs.user_cache_dir("burnline")) / "registry")

    @model_validator(mode="after")
    def _whose_password(self) -> Self:
        if (self.user is None) is not (self.password is None):
            raise ValueError("user and password go together")
        return self


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
