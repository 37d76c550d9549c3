"""Which automation rules there should be, and what is to be done about those there are."""

from __future__ import annotations

import pytest

from producers.core.automations import Found, Rule, changes, read_fields, wanted
from producers.core.mapping import Children, Follow, ModelMapping, captured_models, mappings
from producers.core.policy import CapturePolicy

URL = "https://hooks.example.com/odoo/t"
SAVED = Rule("project.task", "on_create_or_write", frozenset({"name"}), URL)
DELETED = Rule("project.task", "on_unlink", frozenset(), URL)
BOTH = [Found(1, SAVED.name, SAVED), Found(2, DELETED.name, DELETED)]


def changed(**different):
    fields = {"model": "project.task", "trigger": "on_create_or_write", "fields": frozenset({"name"}), "url": URL}
    return [Found(1, SAVED.name, Rule(**(fields | different))), BOTH[1]]


@pytest.mark.parametrize(
    ("found", "todo"),
    [
        pytest.param(BOTH, [], id="all is well: nothing"),
        pytest.param([], [("create", None, "not there"), ("create", None, "not there")], id="at first"),
        pytest.param(BOTH[:1], [("create", None, "not there")], id="somebody removed one"),
        pytest.param(changed(active=False), [("mend", 1, "switched off")], id="somebody switched one off"),
        pytest.param(changed(url="http://x"), [("mend", 1, "another address")], id="another token, or another host"),
        pytest.param(
            changed(fields=frozenset()), [("mend", 1, "other fields")], id="a mapping reads another field now"
        ),
        pytest.param(changed(trigger="on_create"), [("mend", 1, "another trigger")], id="it tells of creations only"),
        pytest.param(
            [Found(1, SAVED.name, None), BOTH[1]],
            [("mend", 1, "something else")],
            id="it has a condition, or another action",
        ),
        pytest.param(
            [*BOTH, Found(3, SAVED.name, SAVED)], [("remove", 3, "twice")], id="two runs at once made it twice"
        ),
        pytest.param(
            [*BOTH, Found(3, "Burnline: gone.model saved", None)],
            [("remove", 3, "nothing")],
            id="a mapping was left out",
        ),
    ],
)
def test_what_is_to_be_done(found, todo):
    made = changes([SAVED, DELETED], found)
    assert [(change.action, change.rule_id) for change in made] == [(action, rule_id) for action, rule_id, _ in todo]
    assert all(why in change.why for change, (_, _, why) in zip(made, todo, strict=True))
    assert all((change.rule is None) is (change.action == "remove") for change in made)


def test_every_captured_model_has_its_rules_and_no_other():
    policy = CapturePolicy()
    fields = read_fields(mappings(policy))
    rules = wanted(fields, {model: names | {"id"} for model, names in fields.items()}, URL)
    assert {rule.model for rule in rules} == captured_models(policy)
    assert len(rules) == len({rule.name for rule in rules}) == 2 * len(captured_models(policy))
    saved = {rule.model: rule.fields for rule in rules if rule.trigger == "on_create_or_write"}
    assert {"unit_amount", "project_id"} <= saved["account.analytic.line"]
    assert not {"write_date", "create_date", "id"} & set().union(*saved.values())


def test_a_model_that_this_odoo_lacks_has_none_and_fields_that_are_not_stored_trigger_nothing():
    rules = wanted({"a.b": {"x", "y"}, "c.d": {"z"}}, {"a.b": {"x", "other"}}, URL)
    assert [(rule.model, rule.fields) for rule in rules] == [("a.b", frozenset({"x"})), ("a.b", frozenset())]


def test_lines_tell_by_the_fields_that_are_read_of_them_and_other_followed_models_by_any():
    mapping = ModelMapping(
        model="a.b",
        module="a",
        fields=("x", "write_date"),
        entities=(),
        children=(Children("lines", "a.line", "parent", ("price",)),),
        follows=(Follow("a.line", "parent"), Follow("a.other", "parent")),
    )
    assert read_fields([mapping]) == {"a.b": {"x"}, "a.line": {"parent", "price"}, "a.other": frozenset()}
