"""Rows as Odoo gives them, the lookups around them, and the states that mappings make of them."""

from datetime import date
from typing import Any

from producers.core.calendars import Calendar
from producers.core.lookups import Company, Lookups, SkillLevel, SkillType
from producers.core.mapping import Context, ModelMapping, mappings
from producers.core.mapping.base import Entity
from producers.core.policy import CapturePolicy

OFFICE = Calendar("Europe/Brussels", (480, 480, 480, 480, 480, 0, 0), (((480, 720), (780, 1020)),) * 5 + ((),) * 2)
LOOKUPS = Lookups(
    currencies={1: "EUR", 2: "USD"},
    companies={1: Company("EUR", "Europe/Brussels", 4), 2: Company("USD", "America/Los_Angeles", None)},
    calendars={4: OFFICE},
    project_of_account={27: 5},
    company_of_project={5: 1},
    employments={7: (date(2014, 1, 1), date(2017, 12, 1))},
    worked_leave_types=frozenset({9}),
    departments={3: "Data"},
    employees_of_user={4: ((7, 1), (8, 2)), 6: ((9, None),)},
    company_of_employee={7: 1, 8: 2},
    skills={14: "Solution Architect"},
    skill_types={3: SkillType("Certifications", certification=True)},
    skill_levels={9: SkillLevel("Professional", 80)},
    stages={2: "Proposition"},
    lost_reasons={5: "Too expensive"},
    order_tags={31: "Change request"},
    task_tags={21: "Bug", 22: "Change Request"},
    units={1: "Units", 6: "Hours", 8: "Days"},
    service_policies={8: "delivered_timesheet", 10: "ordered_prepaid"},
    project_of_purchase={77: 5},
    today={"Europe/Brussels": date(2026, 3, 10), "UTC": date(2026, 3, 10)},
)
BASE = {"id": 3, "company_id": 1, "write_date": "2026-03-10 09:00:00", "create_date": "2026-03-01 08:00:00"}


def mapping_of(topic_name: str, policy: CapturePolicy | None = None, model: str = "") -> tuple[ModelMapping, Entity]:
    for mapping in mappings(policy or CapturePolicy()):
        for entity in mapping.entities:
            if entity.topic_name == topic_name and (not model or mapping.model == model):
                return mapping, entity
    raise AssertionError(topic_name)


def state(
    topic_name: str, row: dict[str, Any], policy: CapturePolicy | None = None, model: str = "", previous: Any = None
) -> Any:
    _, entity = mapping_of(topic_name, policy, model)
    return entity.state({**BASE, **row}, Context(LOOKUPS, policy or CapturePolicy()), previous)
