"""Skills and certifications that people hold, at a level and for a time.

Trap: a certification runs out without anybody writing it. The day is a lookup, so that all are looked at again when it turns.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

from producers.core.mapping.base import Context, Entity, ModelMapping, Period, Verbs, ids
from producers.core.values import Row, day, end_of, local_day, needed_ref, ref, written
from schemas.errors import PoisonMessage
from schemas.records import Skill, SkillStatus

SKILL_VERBS = Verbs({"valid": "certified", "expired": "expired"}, first="certified", gone="withdrawn")


def skill(row: Row, context: Context, _previous: object) -> Skill:
    """A skill that a person holds. Raises `PoisonMessage` where its kind or level cannot be read."""
    lookups = context.lookups
    employee_id, skill_id = needed_ref(row, "employee_id"), needed_ref(row, "skill_id")
    type_id, level_id = needed_ref(row, "skill_type_id"), needed_ref(row, "skill_level_id")
    kind, level = lookups.skill_types.get(type_id), lookups.skill_levels.get(level_id)
    if kind is None or level is None:
        raise PoisonMessage(
            f"the kind {type_id} or the level {level_id} of skill record {row['id']} cannot be read",
            remedy="let the user of ODOO_USER read hr.skill.type and hr.skill.level",
        )
    company_id = lookups.company_of_employee.get(employee_id)
    begin, end = day(row.get("valid_from")), day(row.get("valid_to"))
    today = lookups.day_in(company_id) or local_day(written(row), lookups.company(company_id).timezone)
    return {
        "id": row["id"],
        "employee_id": employee_id,
        "skill_id": skill_id,
        "skill": lookups.skills.get(skill_id, ""),
        "skill_type_id": type_id,
        "skill_type": kind.name,
        "certification": kind.certification,
        "level_id": level_id,
        "level": level.name,
        "level_percent": level.percent,
        "valid_from": begin,
        "valid_to": end,
        "status": _status(begin, end, today),
        "company_id": company_id,
    }


def _status(begin: date | None, end: date | None, today: date) -> SkillStatus:
    if end is not None and end < today:
        return "expired"
    return "upcoming" if begin is not None and begin > today else "valid"


def skill_occurred(row: Row, previous: Skill | None, current: Skill, context: Context) -> datetime:
    """It expired when its last day ended; the rest when written."""
    at = written(row)
    if (
        current["status"] == "expired"
        and current["valid_to"] is not None
        and SKILL_VERBS(previous, current) == "expired"
    ):
        return min(at, end_of(current["valid_to"], context.lookups.company(current["company_id"]).timezone))
    return at


def _needs(row: Row) -> Iterable[tuple[str, int | None]]:
    yield "company_of_employee", ref(row.get("employee_id"))
    yield "skills", ref(row.get("skill_id"))
    yield "skill_types", ref(row.get("skill_type_id"))
    yield "skill_levels", ref(row.get("skill_level_id"))


EMPLOYEE_SKILL = ModelMapping(
    model="hr.employee.skill",
    module="hr_skills",
    fields=("employee_id", "skill_id", "skill_type_id", "skill_level_id"),
    optional=("valid_from", "valid_to"),
    entities=(Entity("people.skill.v1", skill, SKILL_VERBS, skill_occurred),),
    uses=("companies", "company_of_employee", "skills", "skill_types", "skill_levels", "today"),
    needs=_needs,
    sums=(ids("employee_id"), ids("skill_id"), ids("skill_level_id", "level_id")),
    period=Period("valid_from", "valid_from"),
)
