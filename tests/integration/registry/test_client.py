"""The client against what registries do: let numbers be chosen or not, ask for a password, speak TLS, be slow, be down, be something else."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import trustme

from infra.errors import BurnlineError, Fatal, Transient
from infra.registry import ConfluentRegistry, Incompatible, publish, survey
from infra.settings import RegistrySettings
from schemas.released import index
from tests.support.registries import Choosing, Forwarding, Gateway, Locked, Saying, Served

AUTHORITY = trustme.CA()


@pytest.fixture
def served() -> Iterator[Callable[..., Gateway]]:
    """Serve something for the length of a test."""
    running: list[Gateway] = []

    def serve(what: Served, tls: ssl.SSLContext | None = None) -> Gateway:
        running.append(Gateway(what, tls))
        running[-1].start()
        return running[-1]

    yield serve
    for one in running:
        one.stop()


def client(gateway: Gateway, **more: object) -> ConfluentRegistry:
    return ConfluentRegistry(RegistrySettings(url=gateway.url, **{"patience": 0, **more}))  # type: ignore[arg-type]


def ids(registry: ConfluentRegistry) -> dict[int, int | None]:
    """Released number to the registry's."""
    return {line.release.wire_id: line.number for line in survey(registry, index())}


def test_a_registry_that_lets_numbers_be_chosen_gives_the_released_ones(served: Callable[..., Gateway]) -> None:
    choosing = Choosing()
    beyond = max(release.wire_id for versions in index().releases.values() for release in versions) + 1
    choosing.schemas = {1: '"somebody else\'s"', 2: '"too"', beyond: '"and this"'}
    registry = client(served(choosing))
    publish(registry, survey(registry, index()))
    other = {wire_id for wire_id, number in ids(registry).items() if wire_id != number}
    assert other == {1, 2}
    assert choosing.importing == set()
    assert set(choosing.levels.values()) == {"FULL_TRANSITIVE", "BACKWARD_TRANSITIVE"}


def test_a_registry_that_forbids_to_choose_gives_its_own_and_all_is_published(served: Callable[..., Gateway]) -> None:
    choosing = Choosing(modes=False)
    choosing.schemas = {500: '"somebody else\'s"'}
    registry = client(served(choosing))
    publish(registry, survey(registry, index()))
    assert all(line.in_line for line in survey(registry, index()))
    assert min(number or 0 for number in ids(registry).values()) > 500


def test_publishing_goes_on_where_an_earlier_one_was_interrupted(served: Callable[..., Gateway]) -> None:
    gateway = served(Choosing())
    registry = client(gateway)
    done = 0

    def power_cut() -> None:
        nonlocal done
        done += 1
        if done == 5:
            gateway.stop()

    with pytest.raises(Transient):
        publish(registry, survey(registry, index()), power_cut)
    gateway.start()
    rest = [line for line in survey(registry, index()) if not line.in_line]
    assert 0 < len(rest) < len(survey(registry, index()))
    publish(registry, rest)
    assert ids(registry) == {wire_id: wire_id for wire_id in ids(registry)}


def test_what_is_published_already_costs_reads_only(served: Callable[..., Gateway]) -> None:
    gateway = served(Choosing())
    registry = client(gateway)
    publish(registry, survey(registry, index()))
    gateway.asked.clear()
    publish(registry, survey(registry, index()))
    writes = [line for line in gateway.asked if line.startswith(("PUT", "DELETE")) or line.endswith("/versions")]
    assert writes == []


def test_a_real_registry_refuses_what_breaks_readers_on_its_own(published, served: Callable[..., Gateway]) -> None:
    """Not only because it was asked before: a second program that registers by itself is stopped as well."""
    registry = client(served(Forwarding(published.url)))
    subject = "delivery.timesheet.v1-burnline.delivery.TimesheetEvent"
    with pytest.raises(Incompatible, match=subject):
        registry._add(subject, '{"type":"record","name":"burnline.delivery.TimesheetEvent","fields":[]}')


@pytest.fixture
def tls(tmp_path: Path) -> tuple[ssl.SSLContext, Path]:
    """A server's side of TLS, and the file of the authority that signed it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    AUTHORITY.issue_cert("127.0.0.1").configure_cert(context)
    AUTHORITY.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    return context, tmp_path / "authority.pem"


def test_a_registry_behind_tls_and_a_password(published, served: Callable[..., Gateway], tls) -> None:
    context, authority = tls
    gateway = served(Locked(Forwarding(published.url), "burnline", "hunter2"), context)
    registry = client(gateway, ssl_ca_location=authority, user="burnline", password="hunter2")
    assert [line for line in survey(registry, index()) if line.changes] == []


@pytest.mark.parametrize(
    ("more", "says"),
    [
        pytest.param({"user": "burnline", "password": "guess"}, "401.*who are you", id="a wrong password"),
        pytest.param({}, "401.*who are you", id="no password"),
        pytest.param({"ssl_ca_location": None}, "certificate of the schema registry .* cannot be trusted", id="unknown authority"),
    ],
)  # fmt: skip
def test_who_is_not_let_in_is_told_so_and_no_password_shows(
    served: Callable[..., Gateway], tls, more: dict[str, object], says: str
) -> None:
    context, authority = tls
    gateway = served(Locked(Choosing(), "burnline", "hunter2"), context)
    with pytest.raises(Fatal, match=says) as raised:
        client(gateway, **{"ssl_ca_location": authority, **more}).schema(1)
    assert "guess" not in str(raised.value) + raised.value.remedy
    assert "BURNLINE_REGISTRY__" in raised.value.remedy


@pytest.mark.parametrize(
    ("saying", "kind", "says"),
    [
        pytest.param(Saying(503, {"error_code": 50003, "message": "no leader"}), Transient, "503.*no leader", id="overloaded"),
        pytest.param(Saying(429, {"message": "slow down"}), Transient, "429.*slow down", id="too many requests"),
        pytest.param(Saying(200, b"<html>"), Fatal, "answers 200", id="a page instead of an answer"),
        pytest.param(Saying(404, b"<html>"), Fatal, "answers 404", id="a server that is no registry"),
        pytest.param(Saying(404, {"error_code": 404, "message": "no such path"}), Fatal, "no such path", id="a wrong path"),
        pytest.param(Saying(302, b""), Fatal, "answers 302", id="a redirection, which could lead anywhere"),
        pytest.param(Saying(403, {"message": "not for you"}), Fatal, "403.*not for you", id="a user without the right"),
        pytest.param(Saying(200, b'"' + b"x" * (9 * 2**20) + b'"'), Fatal, "more than", id="an endless answer"),
        pytest.param(Saying(200, {"schema": "{}"}, after=1.0), Transient, "does not answer", id="slower than the timeout"),
    ],
)  # fmt: skip
def test_strange_answers_are_classified_and_told(
    served: Callable[..., Gateway], saying: Saying, kind: type[BurnlineError], says: str
) -> None:
    with pytest.raises(kind, match=says) as raised:
        client(served(saying), timeout=0.3).schema(1)
    assert raised.value.remedy


def test_a_registry_that_comes_back_in_time_was_never_away(served: Callable[..., Gateway]) -> None:
    gateway = served(Choosing())
    gateway.stop()
    registry = client(gateway, patience=20)
    asked = iter([False])

    class Returning(Choosing):
        def answer(self, *arguments):  # type: ignore[no-untyped-def]
            if not next(asked, True):
                return 503, {"message": "starting"}
            return super().answer(*arguments)

    gateway._served = Returning()
    gateway.start()
    assert registry.schema(1) is None
    assert len(gateway.asked) == 2
