"""How actions are carried out, by what means, what the assistant may ask, and who decides by hand."""

from __future__ import annotations

from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, Field, FilePath, IPvAnyNetwork, SecretStr, model_validator
from pydantic_core import PydanticCustomError

from infra.setting_groups.kinds import STRICT, Port, Seconds, address
from schemas.topics import STEPS_KEPT

SCHEDULE = (5.0, 300.0, 1_800.0, 7_200.0, 18_000.0, 36_000.0, 50_400.0, 72_000.0, 86_400.0)
"""The example of the Standard Webhooks specification: ten attempts in a little over three days."""


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


def _model_address(url: str) -> str:
    """The address. Raises `ValueError` for one that would be asked without encryption, but for this machine's."""
    checked = address(url)
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


class OperatorSettings(BaseModel):
    """Who is at the command line. Where the broker checks names (SASL), its name counts, and not this one."""

    model_config = STRICT
    name: Annotated[str, Field(min_length=1, max_length=100)] | None = None
