"""When an action that was given up is asked for anew, and when it is not."""

from __future__ import annotations

import pytest

from consumers.core.action_events import action_event, asked_again
from consumers.core.again import why_not_again
from consumers.core.plan import plan
from consumers.core.policy import Policy
from tests.support.governing import START, raised, rule

POLICY = Policy((rule(),))
[PLANNED] = plan(raised(), POLICY)


def last(status):
    return action_event(PLANNED, status, 3, START)


def asked():
    return asked_again(last("abandoned"), source="s", reason="r", by="ann", at=START, cause=PLANNED.action_id)


@pytest.mark.parametrize(
    ("event", "decided", "why"),
    [
        pytest.param(last("abandoned"), False, None, id="given up"),
        pytest.param(asked(), False, "under way: requested", id="asked for anew"),
        pytest.param(last("attempted"), False, "under way: attempted, attempt 3", id="being tried"),
        pytest.param(last("uncertain"), False, "its target would do it twice", id="perhaps done"),
        pytest.param(last("succeeded"), False, "has succeeded", id="done"),
        pytest.param(last("suppressed"), False, "was suppressed", id="too old"),
        pytest.param(last("abandoned"), True, "a person decided", id="a person's word is the last"),
        pytest.param(None, False, "nothing is known", id="of an action that nobody knows"),
    ],
)
def test_why_an_action_is_not_asked_for_anew(event, decided, why):
    found = why_not_again(event, POLICY, decided=decided)
    assert (found is None) is (why is None)
    if found is not None and why is not None:
        assert why in found.why
        assert found.remedy


def test_what_the_policy_has_no_more_is_not_asked_for():
    found = why_not_again(last("abandoned"), Policy((rule(name="another"),)), decided=False)
    assert found is not None
    assert found.why == "the policy has no burn/log any more"
