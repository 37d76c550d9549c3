"""What is known of those whom alerts are about, joined from compacted topics: no name of a person or a client is kept.

| attribute | comes from |
|---|---|
| project_type | `delivery.project.v1` project_type |
| client | `delivery.project.v1` client_id, `measure.dispute-aging.v1` client_id, or the subject itself |
| client_tier | `sales.client.v1` tier of the client |
| country | `sales.client.v1` country of the client |
| department | `people.consultant.v1` department_id |
| manager | `delivery.project.v1` manager_id (a user), `people.consultant.v1` manager_id (an employee) |
| company | the alert's company_id, else that of the subject |

Invariants: folding an event twice changes nothing; what was deleted or erased is unknown again. An attribute that nobody knows is null,
and meets no condition.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from schemas.events import odoo_key

SOURCES = ("delivery.project.v1", "sales.client.v1", "people.consultant.v1", "measure.dispute-aging.v1")
"""The topics a directory is made from."""


@dataclass(frozen=True, slots=True)
class Attributes:
    """What a condition may ask of a subject."""

    project_type: str | None = None
    client: int | None = None
    client_tier: str | None = None
    country: str | None = None
    department: int | None = None
    manager: int | None = None
    company: int | None = None


UNKNOWN = Attributes()


class Directory:
    """The attributes of every subject, and who has left."""

    def __init__(self) -> None:
        """Nobody is known."""
        self._known: dict[str, Attributes] = {}
        self._active: dict[int, bool] = {}

    def fold(self, topic: str, key: str, event: Mapping[str, Any] | None) -> None:
        """Take in the latest event of a key of one of `SOURCES`; None is a tombstone."""
        current = None if event is None else event["current"]
        if current is None:
            self._known.pop(key, None)
            return
        if topic == "people.consultant.v1":
            self._active[current["id"]] = current["active"]
        self._known[key] = _READ[topic](current)

    def about(self, key: str, company: int | None = None) -> Attributes:
        """What is known of the entity with this key; `company` is what the alert says of it."""
        found = self._known.get(key, UNKNOWN)
        if found.client is not None and key.startswith("odoo:"):
            client = self._known.get(odoo_key(key.split(":", 2)[1], "res.partner", found.client), UNKNOWN)
            found = replace(found, client_tier=client.client_tier, country=client.country)
        return found if company is None else replace(found, company=company)

    def has_left(self, employee: int) -> bool:
        """True for a person who is known to be archived; one who is not known is not known to have left."""
        return not self._active.get(employee, True)


def _project(current: Mapping[str, Any]) -> Attributes:
    return Attributes(
        project_type=current["project_type"],
        client=current["client_id"],
        manager=current["manager_id"],
        company=current["company_id"],
    )


def _client(current: Mapping[str, Any]) -> Attributes:
    return Attributes(
        client=current["id"], client_tier=current["tier"], country=current["country"], company=current["company_id"]
    )


def _consultant(current: Mapping[str, Any]) -> Attributes:
    return Attributes(department=current["department_id"], manager=current["manager_id"], company=current["company_id"])


def _invoice(current: Mapping[str, Any]) -> Attributes:
    return Attributes(client=current["client_id"], company=current["company_id"])


_READ = dict(zip(SOURCES, (_project, _client, _consultant, _invoice), strict=True))
