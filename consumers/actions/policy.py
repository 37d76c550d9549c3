"""The policy in force: the configuration's section `actions`, or the one that comes with the package."""

from __future__ import annotations

from importlib.resources import files

import yaml

from consumers.core.policy import Policy
from infra.config import section


def packaged() -> str:
    """The text of the policy that comes with the package."""
    return files("consumers").joinpath("policy.yaml").read_text(encoding="utf-8")


def load_policy(config: dict[str, object]) -> Policy:
    """The validated policy. Raises `Fatal` that names the place of what is wrong."""
    if config.get("actions") is None:
        config = {"actions": yaml.safe_load(packaged())}
    return section(config, "actions", Policy)
