"""Fixtures of tests in which a runner acts: the shared broker with its topics, a firm of the test's own, and a receiver of its webhooks. A conftest takes them over."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from infra.settings import KafkaSettings
from tests.support.actions import Firm, Receiver, prepared


@pytest.fixture(scope="module")
def kafka(kafka_bootstrap: str) -> KafkaSettings:
    made: KafkaSettings = prepared(kafka_bootstrap)
    return made


@pytest.fixture
def firm(kafka: KafkaSettings) -> Firm:
    return Firm(kafka)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as made:
        yield made
