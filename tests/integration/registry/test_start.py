"""What a process knows when it starts: the registry's numbers, or those it was given before, or nothing and then it does not start."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from pydantic import SecretStr

from infra.errors import Fatal, PoisonMessage, Transient
from infra.registry import ConfluentRegistry, publish, survey
from infra.registry.start import remembered_in, resolve
from infra.settings import RegistrySettings
from schemas.released import index, released
from schemas.subjects import text_of
from tests.support.registries import Choosing, Gateway

TICK = released("burnline.ops.TickEvent")[-1]


def filled(first: int) -> Choosing:
    """A registry with every release in it, numbered from `first` on."""
    made = _filled(first)
    copy = Choosing(modes=False)
    copy.schemas, copy.versions = dict(made.schemas), dict(made.versions)
    return copy


@cache
def _filled(first: int) -> Choosing:
    choosing = Choosing(modes=False)
    choosing.schemas = {first - 1: '"of somebody else"'}
    with Gateway(choosing) as gateway:
        registry = ConfluentRegistry(RegistrySettings(url=gateway.url))
        publish(registry, survey(registry, index()))
    return choosing


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with Gateway(filled(500)) as started:
        yield started


@pytest.fixture
def settings(gateway: Gateway, tmp_path: Path) -> RegistrySettings:
    return RegistrySettings(url=gateway.url, cache_dir=tmp_path, patience=0.2, timeout=2)


def test_records_carry_the_numbers_of_the_registry(settings: RegistrySettings) -> None:
    numbers = resolve(settings, index())
    assert numbers.on_wire(TICK.wire_id) >= 500
    assert numbers.release(numbers.on_wire(TICK.wire_id)) == TICK


def test_who_was_given_numbers_starts_while_the_registry_is_down(settings: RegistrySettings, gateway: Gateway) -> None:
    before = resolve(settings, index()).on_wire(TICK.wire_id)
    gateway.stop()
    assert resolve(settings, index()).on_wire(TICK.wire_id) == before


def test_who_was_given_numbers_does_not_wait_for_a_registry_that_is_down(
    settings: RegistrySettings, gateway: Gateway
) -> None:
    resolve(settings, index())
    gateway._served = Saying503()
    gateway.asked.clear()
    resolve(settings.model_copy(update={"patience": 60.0}), index())
    assert len(gateway.asked) == 1


class Saying503:
    def answer(self, *_: object) -> tuple[int, object]:
        return 503, {"message": "starting"}


def test_who_was_never_given_numbers_does_not_start_without_the_registry(
    settings: RegistrySettings, gateway: Gateway
) -> None:
    gateway.stop()
    with pytest.raises(Fatal, match=f"{gateway.url} does not answer.*does not know the numbers") as raised:
        resolve(settings, index())
    assert "start the registry" in raised.value.remedy
    assert not remembered_in(settings).exists()


def test_numbers_of_another_registry_do_not_count(settings: RegistrySettings, gateway: Gateway) -> None:
    resolve(settings, index())
    with Gateway(Choosing()) as other:
        other.stop()
        with pytest.raises(Fatal, match=other.url):
            resolve(settings.model_copy(update={"url": other.url}), index())


def test_a_registry_that_lacks_a_release_stops_the_start(settings: RegistrySettings, gateway: Gateway) -> None:
    gateway._served = Choosing()
    count = len(index().by_id)
    with pytest.raises(Fatal, match=f"lacks {count} of {count} schemas") as raised:
        resolve(settings, index())
    assert "burnline schemas publish" in raised.value.remedy


def test_a_registry_set_up_anew_stops_the_start(settings: RegistrySettings, gateway: Gateway) -> None:
    """Its numbers would be read wrongly: the topics are full of the old ones."""
    before = resolve(settings, index()).on_wire(TICK.wire_id)
    gateway._served = filled(9000)
    with pytest.raises(Fatal, match="set up anew") as raised:
        resolve(settings, index())
    file = remembered_in(settings)
    assert str(file) in raised.value.remedy
    gateway.stop()
    assert resolve(settings, index()).on_wire(TICK.wire_id) == before
    gateway.start()
    file.unlink()
    assert resolve(settings, index()).on_wire(TICK.wire_id) >= 9000


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("", id="a power cut"),
        pytest.param('{"numbers": {"one": 1}}', id="an editor"),
        pytest.param("[]", id="something else"),
    ],
)
def test_a_spoilt_memory_costs_a_question(settings: RegistrySettings, content: str) -> None:
    file = remembered_in(settings)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content)
    expected = resolve(settings, index()).on_wire(TICK.wire_id)
    assert json.loads(file.read_text())["numbers"][str(TICK.wire_id)] == expected


def test_a_memory_that_cannot_be_kept_stops_nothing(settings: RegistrySettings, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    nowhere = settings.model_copy(update={"cache_dir": tmp_path / "file" / "folder"})
    assert resolve(nowhere, index()).on_wire(TICK.wire_id) >= 500


def test_an_unknown_number_is_asked_for_once_then_poison(settings: RegistrySettings, gateway: Gateway) -> None:
    numbers = resolve(settings, index())
    gateway.asked.clear()
    for _ in range(3):
        with pytest.raises(PoisonMessage, match=f"schema number 77 is unknown to the schema registry {gateway.url}"):
            numbers.release(77)
    assert gateway.asked == ["GET /schemas/ids/77"]


def test_an_unknown_number_while_the_registry_is_down_may_be_known_later(
    settings: RegistrySettings, gateway: Gateway
) -> None:
    numbers = resolve(settings, index())
    gateway.stop()
    with pytest.raises(Transient, match="does not answer"):
        numbers.release(77)
    choosing = gateway._served
    assert isinstance(choosing, Choosing)
    choosing.schemas[77] = text_of(TICK.schema)
    gateway.start()
    assert numbers.release(77) == TICK


def test_what_is_remembered_holds_no_password(settings: RegistrySettings) -> None:
    resolve(settings.model_copy(update={"user": "burnline", "password": SecretStr("hunter2")}), index())
    assert "hunter2" not in remembered_in(settings).read_text()
