"""The policy: what it means, and which mistakes it refuses by naming the place."""

import pytest
import yaml

from consumers.actions.policy import load_policy
from consumers.core.plan import plan
from consumers.core.policy import Policy, Rule, When
from consumers.core.targets import Log, Webhook
from infra.errors import Fatal
from tests.support.alerts import alert

PROJECT = "odoo:firm:project.project:7"

MISTAKES = [
    pytest.param("rules: [{name: a, then: [{target: log}]}]", "actions.rules.0.owner", id="an unowned rule"),
    pytest.param("rules: [{name: a, owner: ' ', then: [{target: log}]}]", "needs an owner", id="an owner of blanks"),
    pytest.param("rules: [{name: '', owner: o, then: [{target: log}]}]", "needs a name", id="a rule without a name"),
    pytest.param("rules: [{name: a, owner: o}]", "actions.rules.0.then", id="nothing to do"),
    pytest.param("rules: [{name: a, owner: o, then: []}]", "does nothing", id="an empty list of things to do"),
    pytest.param("rulez: []", "actions.rulez", id="an unknown key at the top"),
    pytest.param(
        "rules: [{name: a, owner: o, then: [{target: log}], wen: {}}]",
        "actions.rules.0.wen",
        id="an unknown key of a rule",
    ),
    pytest.param(
        "rules: [{name: a, owner: o, then: [{target: log}], when: {rul: x}}]",
        "actions.rules.0.when.rul",
        id="an unknown condition",
    ),
    pytest.param(
        "rules: [{name: a, owner: o, then: [{target: log}], when: {severity: dire}}]",
        "actions.rules.0.when.severity",
        id="an unknown severity",
    ),
    pytest.param(
        "rules: [{name: a, owner: o, then: [{target: log}], when: {status: [gone]}}]",
        "actions.rules.0.when.status.0",
        id="an unknown status",
    ),
    pytest.param(
        "rules: [{name: a, owner: o, then: [{target: pager}]}]", "actions.rules.0.then.0.target", id="an unknown target"
    ),
    pytest.param(
        "rules: [{name: a, owner: o, then: [{target: log, color: red}]}]",
        "actions.rules.0.then.0.color",
        id="an unknown key of a target",
    ),
    pytest.param(
        "rules: [{name: a, owner: o, then: [{target: log, url: 'http://x'}]}]",
        "actions.rules.0.then.0.url: Unexpected",
        id="a key of another target",
    ),
    pytest.param(
        "rules: [{name: a, owner: o, then: [{target: odoo_activity, deadline_days: -1}]}]",
        "deadline_days is negative",
        id="a negative number",
    ),
    pytest.param(
        "rules: [{name: a, owner: o, then: [{target: odoo_activity, summary: 'over $ 100'}]}]",
        r"summary: a \$ must stand before a placeholder",
        id="a text that could not be filled",
    ),
    pytest.param(
        "rules: [{name: a, owner: o, then: [{summary: x}]}]",
        "actions.rules.0.then.0.target",
        id="no word of which target",
    ),
    pytest.param(
        "rules: [{name: a, owner: o, then: [{target: odoo_activity, summary: $boss}]}]",
        r"\$boss is no placeholder",
        id="an unknown placeholder",
    ),
    pytest.param(
        "rules: [{name: a, owner: o, then: [{target: webhook, url: 'http://x'}]}]",
        "actions.rules.0.then.0.secret: Field required",
        id="a webhook nobody could verify",
    ),
    pytest.param(
        "rules: [{name: a, owner: o, then: [{target: webhook, url: 'file:///etc', secret: s}]}]",
        "no http or https address",
        id="an address that is a file",
    ),
    pytest.param(
        "rules: [{name: a, owner: o, then: [{target: webhook, url: 'https://u:p@x', secret: s}]}]",
        "without a password",
        id="a password where it would be logged",
    ),
    pytest.param(
        "rules: [{name: a, owner: o, then: [{target: log}, {target: log}]}]",
        "targets of the rule a are called log",
        id="two targets that cannot be told apart",
    ),
    pytest.param(
        "rules: [{name: a, owner: o, then: [{target: log}]}, {name: a, owner: o, then: [{target: log}]}]",
        "two rules are called a",
        id="two rules that cannot be told apart",
    ),
]


@pytest.mark.parametrize(("text", "place"), MISTAKES)
def test_a_mistake_is_refused_by_its_place(text, place):
    with pytest.raises(Fatal, match=place) as refused:
        load_policy({"actions": yaml.safe_load(text)})
    assert refused.value.remedy


def test_without_a_section_the_packaged_policy_holds():
    policy = load_policy({})

    assert {rule.name for rule in policy.rules} == {
        "budget", "utilization", "disputes", "exposure", "dead-letters", "critical",
    }  # fmt: skip
    assert [planned.target.target for planned in plan(alert(PROJECT), policy)] == ["odoo_activity"]
    letters = alert("burnline:letters:t/s/r/e/o", rule="dead-letter")
    assert [(planned.rule, planned.target.target) for planned in plan(letters, policy)] == [("dead-letters", "log")]


def test_an_empty_policy_is_a_decision_too():
    assert load_policy({"actions": {"rules": []}}) == Policy()


@pytest.mark.parametrize(
    ("when", "changed", "matches"),
    [
        pytest.param(When(), {}, True, id="no condition: everything"),
        pytest.param(When(rule="budget_burn.*"), {}, True, id="a glob that fits"),
        pytest.param(When(rule="budget_burn"), {}, False, id="a glob is the whole name"),
        pytest.param(When(severity="warning"), {}, True, id="just severe enough"),
        pytest.param(When(severity="critical"), {}, False, id="not severe enough"),
        pytest.param(When(severity="notice"), {"severity": "critical"}, True, id="more severe than needed"),
        pytest.param(When(), {"severity": "unknown"}, False, id="a severity newer than this program"),
        pytest.param(When(status=("cleared",)), {}, False, id="another status"),
        pytest.param(When(), {"status": "unknown"}, False, id="a status newer than this program"),
        pytest.param(When(company=1), {}, True, id="its company"),
        pytest.param(When(company=2), {}, False, id="another company"),
        pytest.param(When(company=1), {"company_id": None}, False, id="a record of no company"),
    ],
)
def test_conditions(when, changed, matches):
    assert when.matches(alert(PROJECT, **changed)) is matches


def test_every_rule_that_matches_acts_in_the_order_of_the_policy():
    log, hook = Log(), Webhook(url="http://x", secret="s")
    policy = Policy(
        (Rule("one", "o", (log, hook)), Rule("two", "p", (log,)), Rule("three", "p", (log,), When(rule="x")))
    )

    assert [(planned.rule, planned.target.label, planned.owner) for planned in plan(alert(PROJECT), policy)] == [
        ("one", "log", "o"),
        ("one", "webhook", "o"),
        ("two", "log", "p"),
    ]
