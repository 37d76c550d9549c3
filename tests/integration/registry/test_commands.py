"""The registry as a user meets it: publish, look, and what is said when something is wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext

from infra.kafka import topics
from infra.kafka.clients import producer
from infra.registry import ConfluentRegistry, publish, survey
from infra.registry.start import resolve
from infra.settings import KafkaSettings, RegistrySettings
from schemas import codec, numbering
from schemas.released import index
from tests.integration.registry.conftest import Burnline, Published
from tests.support.registries import Choosing, Gateway

TIMESHEET = "delivery.timesheet.v1-burnline.delivery.TimesheetEvent"
TICK = "burnline.internal.TickEntry"


@pytest.fixture
def empty() -> Iterator[Gateway]:
    """A registry that nobody has published to."""
    with Gateway(Choosing()) as gateway:
        yield gateway


def test_an_empty_registry_arrives_at_the_released_numbers(published: Published) -> None:
    """Apicurio counts for itself; what is sent in the right order gets the right numbers."""
    assert {line["id"] - line["released_id"] for line in published.first} == {0}
    assert {line["released_id"] for line in published.first} == set(index().by_id)
    assert all(line["changes"] == ["compatibility was not set", "new"] for line in published.first)


def test_publishing_again_changes_nothing(published: Published, burnline: Burnline) -> None:
    again = burnline("schemas", "publish", "--json", BURNLINE_REGISTRY__URL=published.url)
    assert again.returncode == 0, again.stderr
    lines = [json.loads(line) for line in again.stdout.splitlines()]
    assert lines == [line | {"changes": []} for line in published.first]


def test_a_dry_run_says_what_would_change_and_changes_nothing(empty: Gateway, burnline: Burnline) -> None:
    done = burnline("schemas", "publish", "--dry-run", BURNLINE_REGISTRY__URL=empty.url)
    assert done.returncode == 1
    assert "compatibility was not set, new" in done.stdout
    assert not any(line.startswith(("PUT", "DELETE")) for line in empty.asked)


def test_a_compatibility_that_somebody_changed_is_told_and_mended(
    empty: Gateway, burnline: Burnline, kafka_bootstrap: str
) -> None:
    at = {"BURNLINE_REGISTRY__URL": empty.url}
    client = published_to(empty)
    client.set_compatibility(TIMESHEET, "NONE")
    doctor = burnline("doctor", "--json", BURNLINE_KAFKA__BOOTSTRAP_SERVERS=kafka_bootstrap, **at)
    found = finding(doctor.stdout)
    assert found["verdict"] == "failed"
    assert f"{TIMESHEET} compatibility was NONE" in found["detail"]
    assert "burnline schemas publish" in found["remedy"]
    mended = burnline("schemas", "publish", **at)
    assert mended.returncode == 0
    assert "compatibility was NONE" in mended.stdout
    assert client.compatibility(TIMESHEET) == "FULL_TRANSITIVE"


def finding(stdout: str, check: str = "registry") -> dict[str, str]:
    (found,) = [one for one in map(json.loads, stdout.splitlines()) if one["check"] == check]
    return dict(found)


def test_doctor_is_content_with_what_publish_made(
    published: Published, burnline: Burnline, kafka_bootstrap: str
) -> None:
    at = {"BURNLINE_KAFKA__BOOTSTRAP_SERVERS": kafka_bootstrap, "BURNLINE_REGISTRY__URL": published.url}
    doctor = burnline("doctor", "--json", **at)
    found = finding(doctor.stdout)
    assert found["verdict"] == "ok", found
    assert f"all {len(published.first)} versions are there" in found["detail"]


def test_doctor_finds_records_that_were_written_with_other_numbers(
    published: Published, burnline: Burnline, kafka_bootstrap: str
) -> None:
    """Everybody on the shared broker writes the released numbers, which stand for something else in this registry."""
    at = {"BURNLINE_KAFKA__BOOTSTRAP_SERVERS": kafka_bootstrap}
    kafka = KafkaSettings(bootstrap_servers=kafka_bootstrap)
    topics.apply(kafka, topics.plan(kafka))
    client = producer(kafka)
    cursor = {"model": "res.partner", "snapshot_done": True, "snapshot_id": 0, "high_water": None, "swept_at": None}
    value = codec.encode("burnline.internal.CaptureCursor", cursor)
    client.produce("internal.capture-cursor.v1", value, b"odoo:nobody:res.partner")
    assert client.flush(30) == 0
    with Gateway(of_others()) as crowded:
        published_to(crowded)
        strange = finding(burnline("doctor", "--json", **at, BURNLINE_REGISTRY__URL=crowded.url).stdout, "records")
    well = finding(burnline("doctor", "--json", **at, BURNLINE_REGISTRY__URL=published.url).stdout, "records")
    assert (strange["verdict"], well["verdict"]) == ("failed", "ok")
    assert f"was not written with the numbers of {crowded.url}" in strange["detail"]
    assert "BURNLINE_REGISTRY__URL" in strange["remedy"]


def published_to(gateway: Gateway) -> ConfluentRegistry:
    registry = ConfluentRegistry(RegistrySettings(url=gateway.url))
    publish(registry, survey(registry, index()))
    return registry


def of_others() -> Choosing:
    """A registry in which every released number stands for something else."""
    others = Choosing(modes=False)
    others.schemas = {number: f'"of another team {number}"' for number in index().by_id}
    return others


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        pytest.param(["schemas", "publish"], 3, id="publish: it may pass"),
        pytest.param(["tail", "delivery.timesheet.v1"], 2, id="who was never given numbers does not start"),
        pytest.param(["streams"], 2, id="nor does a worker"),
    ],
)
def test_a_registry_that_is_down_is_told_in_two_lines(
    empty: Gateway, burnline: Burnline, arguments: list[str], status: int
) -> None:
    empty.stop()
    done = burnline(
        *arguments,
        BURNLINE_REGISTRY__URL=empty.url,
        BURNLINE_REGISTRY__PATIENCE="0.2",
        BURNLINE_KAFKA__BOOTSTRAP_SERVERS="127.0.0.1:1",
    )
    assert done.returncode == status, done.stderr
    assert f"the schema registry {empty.url} does not answer" in done.stderr
    assert "what to do:" in done.stderr
    assert "Traceback" not in done.stderr


def test_without_a_registry_publish_shows_the_bundled_one(burnline: Burnline) -> None:
    done = burnline("schemas", "publish")
    assert done.returncode == 0, done.stderr
    assert "the bundled registry" in done.stdout
    assert "0 changed" in done.stdout


def test_in_a_registry_of_others_records_carry_its_numbers(
    burnline: Burnline, own_numbers: None, tmp_path: Path
) -> None:
    """All but the number stays; and whoever asks that registry for the number can read the record."""
    with Gateway(of_others()) as crowded:
        done = burnline("schemas", "publish", BURNLINE_REGISTRY__URL=crowded.url)
        assert done.returncode == 0, done.stderr
        assert "have other ids than they were released with" in done.stdout
        numbering.use(numbering.Released())
        without = codec.encode_wire(TICK, {"at": 42})
        numbering.use(resolve(RegistrySettings(url=crowded.url, cache_dir=tmp_path), index()))
        inside = codec.encode_wire(TICK, {"at": 42})
        assert inside[1:5] != without[1:5]
        assert inside[5:] == without[5:]
        assert codec.decode_wire(inside) == (TICK, {"at": 42})
        read = AvroDeserializer(SchemaRegistryClient({"url": crowded.url}))
        assert read(inside, SerializationContext("any", MessageField.VALUE)) == {"at": codec.decode(inside).value["at"]}
