"""Automation rules in an Odoo: read, made, mended and removed over RPC. `producers.core.automations` says which there should be."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Any, NamedTuple

from infra.errors import Fatal
from infra.odoo import OdooClient
from infra.odoo.client import Row
from infra.odoo.failures import Refused, is_no_access, is_unknown_model
from producers.core.automations import PREFIX, Change, Found, Rule, changes, read_fields, wanted
from producers.core.mapping import mappings
from producers.core.policy import CapturePolicy

RULES, ACTIONS, FIELDS = "base.automation", "ir.actions.server", "ir.model.fields"


class Ids(NamedTuple):
    """What Odoo calls models, and fields by model and name."""

    models: dict[str, int]
    fields: dict[tuple[str, str], int]


class Automations:
    """The rules of one Odoo that begin with our prefix."""

    def __init__(self, client: OdooClient) -> None:
        """Ask nothing yet."""
        self._client = client

    def differences(self, policy: CapturePolicy, url: str) -> list[Change]:
        """What would have every captured model of this Odoo post to `url`. Raises `Fatal` where rules cannot be seen."""
        fields = read_fields(mappings(policy))
        return changes(wanted(fields, self._stored(fields), url), self._found())

    def leftovers(self) -> list[Change]:
        """What would remove all of ours."""
        return [Change("remove", one.name, "all are to go", rule_id=one.rule_id) for one in self._found()]

    def apply(self, todo: Sequence[Change]) -> None:
        """Make these changes. Begun again after a failure, it goes on; what is to be created or removed is so at once, or not at all."""
        rules = [change.rule for change in todo if change.rule is not None]
        ids = self._ids({rule.model for rule in rules})
        created = [_values(change.rule, ids) for change in todo if change.rule is not None and change.rule_id is None]
        removed = [change.rule_id for change in todo if change.rule is None and change.rule_id is not None]
        for change in todo:
            if change.rule is not None and change.rule_id is not None:
                self._call("write", [change.rule_id], vals=_values(change.rule, ids))
        if created:  # each call has Odoo build its registry anew, which takes a second
            self._call("create", vals_list=created)
        if removed:
            self._call("unlink", removed)

    def _ids(self, models: Collection[str]) -> Ids:
        names = sorted(models)
        fields = self._search(FIELDS, [("model", "in", names)], ["model", "name"])
        return Ids(
            {row["model"]: row["id"] for row in self._search("ir.model", [("model", "in", names)], ["model"])},
            {(row["model"], row["name"]): row["id"] for row in fields},
        )

    def _stored(self, models: Collection[str]) -> dict[str, set[str]]:
        domain = [("model", "in", sorted(models)), ("store", "=", True)]
        found: dict[str, set[str]] = defaultdict(set)
        for row in self._search(FIELDS, domain, ["model", "name"]):
            found[row["model"]].add(row["name"])
        return found

    def _found(self) -> list[Found]:
        rules = self._search(
            RULES,
            [("name", "=like", f"{PREFIX}%")],
            ["name", "active", "trigger", "model_name", "trigger_field_ids", "action_server_ids", "filter_domain"],
        )
        actions = self._search(
            ACTIONS,
            [("id", "in", [action for rule in rules for action in rule["action_server_ids"]])],
            ["state", "webhook_url", "webhook_field_ids"],
        )
        names = self._field_names(rules)
        of = {action["id"]: action for action in actions}
        return [
            Found(row["id"], row["name"], _rule(row, [of[i] for i in row["action_server_ids"]], names)) for row in rules
        ]

    def _field_names(self, rules: Iterable[Row]) -> dict[int, str]:
        ids = sorted({field for rule in rules for field in rule["trigger_field_ids"]})
        return {row["id"]: row["name"] for row in self._search(FIELDS, [("id", "in", ids)], ["name"])}

    def _search(self, model: str, domain: Sequence[Any], fields: Sequence[str]) -> list[Row]:
        try:
            return self._client.search_read(model, domain, fields)
        except Refused as error:
            raise _told(error) from error

    def _call(self, method: str, ids: Sequence[int] | None = None, **named: Any) -> None:
        try:
            self._client.call(RULES, method, ids, **named)
        except Refused as error:
            raise _told(error) from error


def _values(rule: Rule, ids: Ids) -> Row:
    model = ids.models[rule.model]
    action = {
        "name": rule.name,
        "model_id": model,
        "state": "webhook",
        "usage": "base_automation",
        "webhook_url": rule.url,
    }
    return {
        "name": rule.name,
        "model_id": model,
        "active": True,
        "trigger": rule.trigger,
        "filter_domain": False,
        "trigger_field_ids": [(6, 0, sorted(ids.fields[rule.model, name] for name in rule.fields))],
        "action_server_ids": [(5,), (0, 0, action)],
    }


def _rule(row: Row, actions: Sequence[Row], names: dict[int, str]) -> Rule | None:
    """The rule as one of ours; None where it is unlike any, for example since somebody gave it a condition."""
    if len(actions) != 1 or actions[0]["state"] != "webhook" or actions[0]["webhook_field_ids"] or row["filter_domain"]:
        return None
    fields = frozenset(names[field] for field in row["trigger_field_ids"])
    return Rule(row["model_name"], row["trigger"], fields, actions[0]["webhook_url"] or "", row["active"])


def _told(error: Refused) -> Fatal:
    if is_unknown_model(error):
        return Fatal(f"this Odoo has no automation rules: {error}", remedy="install its module base_automation")
    if is_no_access(error):
        return Fatal(
            f"this user may not look after automation rules: {error}",
            remedy="run this command, and only this, as a user with the right Administration / Settings",
        )
    return error
