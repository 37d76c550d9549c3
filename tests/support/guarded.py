"""A real broker with ACLs on: SASL over TLS, an authorizer, one user who may do everything, and users made as tests need them."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import stamina
import trustme
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # exported without saying so
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)
from cryptography.hazmat.primitives import serialization

from infra.embedded_kafka import EmbeddedKafka
from infra.embedded_kafka.guard import Guard
from infra.errors import Fatal
from infra.kafka.access import roles
from infra.kafka.clients import admin, broker_answers
from infra.settings import KafkaSettings, Settings

ROOT = Path(__file__).resolve().parents[2]
HOST = "127.0.0.1"
PASSWORD = "of-a-test"
SUPER_USER = "root"


class Told(NamedTuple):
    """What a command answered."""

    status: int
    stdout: str
    stderr: str


@dataclass(frozen=True, slots=True)
class Door:
    """How to reach the broker, and what `topics apply` and then `plan` told while it was made ready."""

    bootstrap_servers: str
    authority: str
    password: str
    told: tuple[Told, ...] = ()

    def kafka(self, user: str) -> KafkaSettings:
        """The settings of a client with this user's name; the user has to be made before."""
        return self._settings(user, "SCRAM-SHA-512", PASSWORD)

    @property
    def root(self) -> KafkaSettings:
        """The settings of the one who may do everything."""
        return self._settings(SUPER_USER, "PLAIN", self.password)

    def _settings(self, user: str, mechanism: str, password: str) -> KafkaSettings:
        return KafkaSettings(
            bootstrap_servers=self.bootstrap_servers,
            security_protocol="SASL_SSL",
            sasl_mechanism=mechanism,  # type: ignore[arg-type]  # one of the two above
            sasl_username=user,
            sasl_password=password,  # type: ignore[arg-type]  # made a secret on the way
            ssl_ca_location=Path(self.authority),
        )

    def make_users(self, users: Iterable[str]) -> None:
        """Make these users, and return once each is let in."""
        if not (users := list(users)):
            return
        info = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)
        made = [UserScramCredentialUpsertion(user, info, PASSWORD.encode()) for user in users]
        client = admin(self.root)  # kept: the answers never come once the client is gone
        for future in client.alter_user_scram_credentials(made).values():
            future.result(30)
        for one in made:
            for attempt in stamina.retry_context(on=Fatal, attempts=10, wait_initial=0.1, wait_max=1.0):
                with attempt:  # the broker hears of a new user a moment later
                    broker_answers(self.kafka(one.user))

    def environment(self, user: str | None = None) -> dict[str, str]:
        """The variables of a program that runs as this user, or as the one who may do everything."""
        kafka = self.root if user is None else self.kafka(user)
        assert kafka.sasl_password is not None
        return {
            "BURNLINE_KAFKA__BOOTSTRAP_SERVERS": self.bootstrap_servers,
            "BURNLINE_KAFKA__SECURITY_PROTOCOL": "SASL_SSL",
            "BURNLINE_KAFKA__SASL_MECHANISM": str(kafka.sasl_mechanism),
            "BURNLINE_KAFKA__SASL_USERNAME": str(kafka.sasl_username),
            "BURNLINE_KAFKA__SASL_PASSWORD": kafka.sasl_password.get_secret_value(),
            "BURNLINE_KAFKA__SSL_CA_LOCATION": self.authority,
        }


class Guarded:
    """Such a broker in a folder of its own, made ready by the commands themselves. `close` it in the end."""

    def __init__(self) -> None:
        self._folder = TemporaryDirectory(prefix="burnline-test-guarded-")
        folder = Path(self._folder.name)
        authority, own = folder / "authority.pem", folder / "broker.pem"
        _certify(authority, own)
        password = secrets.token_urlsafe(16)
        self._broker = EmbeddedKafka(folder / "kafka", guard=Guard(SUPER_USER, password, own, authority))
        bare = Door(self._broker.start(), str(authority), password)
        told = []
        for command in (["topics", "apply", "--yes"], ["topics", "plan"]):
            done = burnline(*command, **bare.environment())
            told.append(Told(done.returncode, done.stdout, done.stderr))
        self.door = replace(bare, told=tuple(told))
        self.door.make_users(f"burnline-{role}" for role in roles(Settings(), ()))

    def close(self) -> None:
        self._broker.stop()
        self._folder.cleanup()


def _certify(authority: Path, own: Path) -> None:
    """Write the certificate of an issuer, and key and certificate of a broker on loopback."""
    issuer = trustme.CA()
    certificate = issuer.issue_cert(HOST)
    issuer.cert_pem.write_to_path(str(authority))
    key = serialization.load_pem_private_key(certificate.private_key_pem.bytes(), None)
    pkcs8 = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    own.write_bytes(pkcs8 + b"".join(one.bytes() for one in certificate.cert_chain_pems))


def burnline(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, with these variables and none of the user's."""
    return subprocess.run(
        [sys.executable, "-m", "burnline", *arguments],
        env=clean() | {"COLUMNS": "250"} | environment,
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def clean() -> dict[str, str]:
    """The variables of this process without those of Burnline and Odoo."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("BURNLINE_", "ODOO_"))}
