"""What the pages offer to be copied, run as it stands there, against a real broker: a stranger needs nothing but docs/."""

from __future__ import annotations

import dataclasses
import json
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from burnline.docs import consumer
from burnline.docs.model import public_topics
from burnline.docs.samples import sample
from infra.kafka import topics
from infra.kafka.clients import transactional_producer
from infra.kafka.writer import EventWriter
from infra.settings import KafkaSettings
from schemas.topics import Topic
from tests.support.pages import Page, read_page, replaced, save_schemas
from tests.support.registry import registry

RUNNER = Path(__file__).parents[1] / "support" / "run_programs.py"
PUBLIC = public_topics()
HEADERS, BYTES, DECODED = range(3)
"""The places of the calls of kcat on a page."""
PATIENCE = 120
"""Seconds for all programs together."""


@pytest.fixture
def kafka(kafka_bootstrap: str) -> KafkaSettings:
    return KafkaSettings(bootstrap_servers=kafka_bootstrap)


def publish(kafka: KafkaSettings, prefix: str, contracts: list[Topic]) -> None:
    """On a topic of each contract: a record that is taken back, the sample, and a tombstone where there are any."""
    own = [dataclasses.replace(contract, name=prefix + contract.name, partitions=1) for contract in contracts]
    topics.apply(kafka, topics.plan(kafka, own), own)
    producer = transactional_producer(kafka, f"{prefix}writer", timeout=30)
    writer = EventWriter(producer)
    for commits in (False, True):
        producer.begin_transaction()
        for contract, topic in zip(contracts, own, strict=True):
            event = sample(contract)
            writer.send(topic, event)
            if contract.compacted and commits:
                writer.send_bytes(topic.name, event["meta"]["subject"].encode(), None)
        writer.flush()
        producer.commit_transaction() if commits else producer.abort_transaction()


def job(kafka: KafkaSettings, prefix: str, contract: Topic, page: Page, *, wanted: int) -> dict[str, Any]:
    """A program of a page, pointed at the test's broker and topic."""
    name = contract.name
    own = {
        f'"{consumer.SERVERS}"': repr(kafka.bootstrap_servers),
        f'"{consumer.group(contract)}"': repr(f"{prefix}group.{name}"),
        f'["{name}"]': repr([prefix + name]),
    }
    return {"program": replaced(page.program, own), "wanted": wanted, "digits": page.digits}


def run(jobs: list[dict[str, Any]], folder: Path) -> list[dict[str, Any]]:
    """What came of each program, run in a folder that has nothing but what the pages say."""
    done = subprocess.run(
        [sys.executable, "-I", str(RUNNER)],
        input=json.dumps(jobs), capture_output=True, text=True, check=False, timeout=PATIENCE, cwd=folder,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    outcomes: list[dict[str, Any]] = json.loads(done.stdout)
    assert [outcome["error"] for outcome in outcomes if "error" in outcome] == []
    return outcomes


def test_every_consumer_prints_what_its_page_shows(kafka: KafkaSettings, topic_prefix: str, tmp_path: Path) -> None:
    publish(kafka, topic_prefix, PUBLIC)
    pages = [read_page(contract.name) for contract in PUBLIC]
    for page in pages:
        save_schemas(page, tmp_path)
    wanted = [2 if contract.compacted else 1 for contract in PUBLIC]
    jobs = [
        job(kafka, topic_prefix, contract, page, wanted=lines)
        for contract, page, lines in zip(PUBLIC, pages, wanted, strict=True)
    ]

    for page, lines, outcome in zip(pages, wanted, run(jobs, tmp_path), strict=True):
        shown = [page.sample, {"erased": page.key}][:lines]
        assert [json.loads(line) for line in outcome["printed"]] == shown
        assert json.loads(outcome["decoded"]) == page.sample


def test_a_consumer_that_died_begins_with_what_it_did_not_finish(
    kafka: KafkaSettings, topic_prefix: str, tmp_path: Path
) -> None:
    contract = next(contract for contract in PUBLIC if contract.compacted)
    publish(kafka, topic_prefix, [contract])
    page = read_page(contract.name)
    save_schemas(page, tmp_path)
    first = run([job(kafka, topic_prefix, contract, page, wanted=1)], tmp_path)
    second = run([job(kafka, topic_prefix, contract, page, wanted=2)], tmp_path)
    third = run([job(kafka, topic_prefix, contract, page, wanted=1)], tmp_path)

    event, tombstone = page.sample, {"erased": page.key}
    lines = [[json.loads(line) for line in found["printed"]] for (found,) in (first, second, third)]
    assert lines == [[event], [event, tombstone], [tombstone]]


def kcat_features() -> str:
    """What the kcat that is here was built with; nothing where there is none."""
    if shutil.which("kcat") is None or shutil.which("xxd") is None:
        return ""
    return subprocess.run(["kcat", "-V"], capture_output=True, text=True, check=False).stdout


needs_kcat = pytest.mark.skipif(not kcat_features(), reason="kcat or xxd is not installed")
needs_kcat_with_avro = pytest.mark.skipif("Avro" not in kcat_features(), reason="no kcat that was built with Avro")


def printed(call: str, changes: dict[str, str]) -> str:
    """What a line of a page prints in a shell, with the reader's own values in it."""
    line = ["sh", "-c", replaced(call, changes)]
    done = subprocess.run(line, capture_output=True, text=True, check=False, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    return done.stdout


def side_by_side(kafka: KafkaSettings, prefix: str, call: int, changes: dict[str, str]) -> list[tuple[Page, str]]:
    """Each page, and what its call of that place prints."""

    def one(contract: Topic) -> tuple[Page, str]:
        page, (old, new) = read_page(contract.name), (f"-t {contract.name}", f"-t {prefix}{contract.name}")
        own = {consumer.SERVERS: str(kafka.bootstrap_servers), old: new, **changes}
        return page, printed(page.calls[call], own)

    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(one, PUBLIC))


@needs_kcat
def test_kcat_shows_what_the_pages_show(kafka: KafkaSettings, topic_prefix: str) -> None:
    publish(kafka, topic_prefix, PUBLIC)

    for page, shown in side_by_side(kafka, topic_prefix, HEADERS, {}):
        _, key, headers = shown.splitlines()[0].split(" ", 2)
        assert (key, headers.split(",")) == (page.key, [f"{name}={value}" for name, value in page.headers])
    for page, shown in side_by_side(kafka, topic_prefix, BYTES, {}):
        assert shown.splitlines() == page.digits.splitlines()


@needs_kcat_with_avro
def test_kcat_decodes_by_a_registry(kafka: KafkaSettings, topic_prefix: str) -> None:
    publish(kafka, topic_prefix, PUBLIC)
    with registry() as address:
        found = side_by_side(kafka, topic_prefix, DECODED, {consumer.REGISTRY: address})

    for page, shown in found:
        assert json.loads(shown.splitlines()[0])["meta"]["event_id"] == page.sample["meta"]["event_id"]
