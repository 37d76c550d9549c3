"""A registry and principals of one's own on the broker with ACLs on, so that tests do not see each other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import pytest

from infra.kafka import acls, topics
from infra.kafka.access import roles
from infra.kafka.changes import NOTHING, Allowance, Change
from infra.settings import AccessSettings, ActionSettings, Settings, StreamsSettings
from schemas.topics import TOPICS, Topic
from tests.support.guarded import Door

ROLES = tuple(roles(Settings(), ()))


@dataclass(frozen=True, slots=True)
class Realm:
    """The registry under other names, and who plays its roles. Nothing is on the cluster yet."""

    door: Door
    prefix: str
    declared: list[Topic]

    def user(self, role: str) -> str:
        """The name of who plays a role."""
        return f"{self.prefix}{role}"

    def settings(self, role: str | None = None) -> Settings:
        """Settings of a client that plays this role, or may do everything."""
        return Settings(
            kafka=self.door.root if role is None else self.door.kafka(self.user(role)),
            access=AccessSettings(principals={one: f"User:{self.user(one)}" for one in ROLES}),  # type: ignore[dict-item]  # a tuple is made of it
            streams=StreamsSettings(group=f"{self.prefix}streams"),
            actions=ActionSettings(group=f"{self.prefix}actions"),
        )

    def topic(self, name: str) -> str:
        """What a topic of the registry is called here."""
        return self.prefix + name

    def rights(
        self, role: str | None = None, declared: Iterable[Topic] | None = None, allow: Allowance = NOTHING
    ) -> list[Change]:
        """What differs in the rights of this realm's users, as who plays `role` sees it."""
        changes = acls.plan(self.settings(role), declared or self.declared, allow=allow)
        return [change for change in changes or [] if change.what.startswith(f"User:{self.prefix}")]

    def make(self, *users: str) -> None:
        """Topics and rights as declared, and these of the users."""
        root = self.settings().kafka
        topics.apply(root, topics.plan(root, self.declared), self.declared)
        acls.apply(root, self.rights())
        self.door.make_users(self.user(role) for role in users)


@pytest.fixture
def realm(door: Door, topic_prefix: str) -> Realm:
    return Realm(door, topic_prefix, [replace(topic, name=topic_prefix + topic.name) for topic in TOPICS.values()])
