"""`burnline policy check`: every mistake by its line, its cause and its remedy, and all of them at once."""

import textwrap
from ipaddress import ip_network
from pathlib import Path

import pytest

from consumers.actions.policy import packaged
from consumers.core.directory import Directory
from consumers.policy_check import check

RULE = """\
rules:
  - name: one
    owner: platform
    when: {rule: "budget_burn.*"}
    then:
      - {target: log}
"""


def first(text):
    found = check(textwrap.dedent(text))
    assert found, "nothing was found"
    assert all(finding.remedy for finding in found)
    return found[0].line, found[0].cause


@pytest.mark.parametrize(
    ("text", "line", "cause"),
    [
        pytest.param(RULE.replace("owner: platform", "ownr: platform"), 2, "owner: it is needed", id="unowned"),
        pytest.param(RULE + "    colour: red\n", 7, "colour: there is no such key", id="an unknown field"),
        pytest.param(RULE.replace("rule:", "rul:"), 4, "rul: there is no such key", id="an unknown condition"),
        pytest.param(RULE.replace("log", "pager"), 6, "target: Input tag 'pager'", id="an unknown target"),
        pytest.param(
            RULE.replace("{target: log}", '{target: webhook, url: "ftp://x", secret: s}'),
            6,
            "no http or https",
            id="a URL of no use",
        ),
        pytest.param(
            RULE.replace("{target: log}", "{target: webhook, url: nowhere, secret: s}"),
            6,
            "no http or https",
            id="no URL",
        ),
        pytest.param(
            RULE.replace("{target: log}", '{target: odoo_activity, summary: "$boss"}'),
            6,
            r"$boss is no placeholder",
            id="a template that fails",
        ),
        pytest.param(
            RULE.replace("{target: log}", '{target: odoo_activity, summary: "100 $"}'),
            6,
            "a $ must stand",
            id="a lone sign",
        ),
        pytest.param(
            RULE + "    quiet:\n      zone: Mars/Olympus\n      days: [sun]\n",
            8,
            "no IANA time zone",
            id="a zone nobody knows",
        ),
        pytest.param(
            RULE + '    quiet:\n      zone: UTC\n      begins: 20:00\n      ends: "07:00"\n',
            9,
            "valid string",
            id="an hour that YAML reads as a number",
        ),
        pytest.param(RULE + "    service_level: soon\n", 7, "Input should be", id="a time that is none"),
        pytest.param(RULE + "    service_level: -PT4H\n    alternates: [b]\n", 7, "no", id="a time before now"),
        pytest.param(RULE + "    alternates: [b]\n", 7, "no service_level to miss", id="escalates at no time"),
        pytest.param(RULE + "    service_level: PT4H\n", 7, "nobody follows", id="a level that nobody watches"),
        pytest.param(
            RULE + "    service_level: PT4H\n    escalation:\n      - {after: PT1H}\n",
            9,
            "who is asked next",
            id="a step to nowhere",
        ),
        pytest.param(
            RULE + "    service_level: PT4H\n    alternates: [platform]\n", 2, "are called platform", id="asked twice"
        ),
        pytest.param(RULE + "    group: {by: [moon]}\n", 7, "Input should be 'rule'", id="a group by nothing known"),
        pytest.param(RULE + "    group: {most: 1}\n", 7, "most: 1 is not from 2 to 200", id="a group of one"),
        pytest.param(RULE.replace("budget_burn.*", "bugdet_burn.*"), 4, "would never speak", id="a rule misspelt"),
        pytest.param(
            RULE.replace("{target: log}", '{target: webhook, url: "https://169.254.169.254/x", secret: s}'),
            6,
            "is no public address",
            id="where clouds keep their secrets",
        ),
        pytest.param(
            RULE.replace("{target: log}", '{target: webhook, url: "http://localhost:5678/x", secret: s}'),
            6,
            "is no public address",
            id="this machine",
        ),
        pytest.param(
            RULE.replace("{target: log}", '{target: webhook, url: "http://n8n.example.com/x", secret: s}'),
            6,
            "without encryption",
            id="no TLS",
        ),
        pytest.param(RULE + "    owner: other\n", 7, "owner stands there twice", id="a key twice"),
        pytest.param("rules: [", 1, "no YAML", id="no YAML"),
        pytest.param("- a", 1, "it holds no policy", id="a list"),
        pytest.param("", 1, "it holds no policy", id="nothing"),
        pytest.param(RULE + "people:\n  ghost: {employee: 1}\n", 7, "no rule asks ghost", id="a person nobody asks"),
        pytest.param(
            "actions:\n" + textwrap.indent(RULE.replace("log", "pager"), "  "), 7, "pager", id="within a configuration"
        ),
    ],
)
def test_a_mistake_is_named_by_its_line(text, line, cause):
    found = first(text)

    assert found[0] == line, found
    assert cause in found[1]


def test_all_mistakes_are_told_at_once_in_the_order_of_their_lines():
    text = RULE.replace("owner", "ownr") + "    colour: red\n" + RULE.removeprefix("rules:\n").replace("log", "pager")

    assert [finding.line for finding in check(text)] == [2, 3, 7, 12]


def test_who_has_left_is_named():
    directory = Directory()
    person = {"id": 12, "active": False, "department_id": None, "manager_id": None, "company_id": 1}
    directory.fold("people.consultant.v1", "odoo:firm:hr.employee:12", {"current": person})
    text = RULE + "people:\n  platform: {employee: 12}\n"

    [finding] = check(text, directory)
    assert (finding.line, finding.cause) == (8, "platform is employee 12, who has left")
    assert check(text) == []


def test_a_network_that_is_allowed_may_be_called():
    text = RULE.replace("{target: log}", '{target: webhook, url: "http://127.0.0.1:5678/x", secret: s}')

    assert check(text, allowed=[ip_network("127.0.0.0/8")]) == []


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(RULE, id="a rule"),
        pytest.param("actions:\n  rules: []\n", id="to do nothing is a decision"),
        pytest.param(packaged(), id="the packaged policy"),
        pytest.param(RULE.replace("budget_burn.*", "approval.*"), id="requests for approval"),
        pytest.param(RULE.replace("budget_burn.*", "*"), id="everything"),
        pytest.param(
            RULE
            + """\
    alternates: [b]
    service_level: PT4H
    escalation: [{to: c, after: PT8H, then: [{target: log}]}, {freeze: invoicing, after: P1D}]
    quiet: {zone: Europe/Brussels, begins: "20:00", ends: "07:00", days: [sat, sun], unless: null}
    group: {by: [client, rule], wait: PT10M}
    snooze: PT2H
    dual_control: true
version: 7
people:
  b: {employee: 3}
""",
            id="all there is",
        ),
    ],
)
def test_what_is_right_is_not_found_fault_with(text):
    assert check(text) == []


def test_the_example_of_the_documentation_is_right():
    page = (Path(__file__).parents[3] / "docs" / "policy.md").read_text(encoding="utf-8")
    example = "\n".join(line[4:] for line in page.splitlines() if line.startswith("    "))

    assert "escalation:" in example
    assert check(example) == []
