"""The brokers, who plays which role there, and a registry of schemas."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

import platformdirs
from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, FilePath, SecretStr, model_validator

from infra.setting_groups.kinds import STRICT, Principal, address


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


class RegistrySettings(BaseModel):
    """A Confluent-compatible schema registry. Without a URL, the bundled one: the released schemas and their numbers.

    A request that has no answer within `timeout` seconds failed; one that failed is tried again for `patience` seconds. The numbers
    it gave are remembered in `cache_dir`, so that a process that knows them starts while the registry is down.
    """

    model_config = STRICT
    url: Annotated[str, AfterValidator(address)] | None = None
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
