"""Every kind of target that a policy may name can be carried out, and has a module of its name on both sides."""

from typing import get_args

from consumers.actions.targets import KINDS
from consumers.core.targets import Target

CONFIGURED = {kind.__dataclass_fields__["target"].default: kind for kind in get_args(get_args(Target)[0])}


def test_what_can_be_configured_can_be_carried_out():
    assert set(KINDS) == set(CONFIGURED)


def test_both_halves_are_in_modules_of_its_name():
    assert {kind: made.__module__ for kind, made in KINDS.items()} == {
        k: f"consumers.actions.targets.{k}" for k in KINDS
    }
    assert {k: c.__module__ for k, c in CONFIGURED.items()} == {k: f"consumers.core.targets.{k}" for k in CONFIGURED}
