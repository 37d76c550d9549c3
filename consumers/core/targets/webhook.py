"""A signed POST of the alert (Standard Webhooks), as a CloudEvent in JSON.

- {target: webhook, url: "https://n8n.example.com/webhook/burnline", secret: n8n}
"""

from dataclasses import dataclass
from typing import Any, Literal

from consumers.core.plain import plain
from consumers.core.targets.common import Common, check_url
from consumers.core.targets.expect import ANY_SUCCESS, Expect
from schemas.events import rfc3339
from schemas.records import AlertEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook(Common):
    """`secret` names one of the settings' webhook secrets, `expect` what counts as done."""

    target: Literal["webhook"] = "webhook"
    url: str
    secret: str
    expect: Expect = ANY_SUCCESS

    @property
    def endpoint(self) -> str:
        """The address; it is no secret, since deliveries are signed."""
        return self.url

    def __post_init__(self) -> None:
        """Refuse an address that is none."""
        Common.__post_init__(self)
        check_url(self.url)


def cloud_event(alert: AlertEvent) -> dict[str, Any]:
    """The alert as a CloudEvents 1.0 JSON object: decimals as text, days and times as ISO 8601."""
    meta = alert["meta"]
    optional = {"causationid": meta["causation_id"]} if meta["causation_id"] is not None else {}
    return {
        "specversion": "1.0",
        "id": meta["event_id"],
        "type": meta["event_type"],
        "source": meta["source"],
        "subject": meta["subject"],
        "time": rfc3339(meta["occurred_at"]),
        "recordedtime": rfc3339(meta["recorded_at"]),
        "correlationid": meta["correlation_id"],
        **optional,
        "datacontenttype": "application/json",
        "data": plain({"tenant": meta["tenant"], **alert["current"]}),
    }
