"""A broker that lets in only who it knows, over TLS, and lets nobody do what no ACL allows. Pure: settings as values.

Rules: there is no listener without a name and a password, the broker's own connections included. One user, whose password is in the
broker's configuration, may do everything; all others are made by that user (SCRAM), and may do nothing until an ACL says so.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

AUTHORIZER = "org.apache.kafka.metadata.authorizer.StandardAuthorizer"
_PLAIN = "org.apache.kafka.common.security.plain.PlainLoginModule"
_SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule"


@dataclass(frozen=True, slots=True)
class Guard:
    """Who is let in. `certificate` is a PEM file with the broker's key (PKCS #8) and chain, `authority` one with what clients trust."""

    admin: str
    password: str = field(repr=False)
    certificate: Path
    authority: Path

    @property
    def client(self) -> dict[str, str]:
        """What a client needs to be let in as the one who may do everything."""
        return {
            "security.protocol": "SASL_SSL",
            "sasl.mechanism": "PLAIN",
            "sasl.username": self.admin,
            "sasl.password": self.password,
            "ssl.ca.location": str(self.authority),
        }


def guarded(guard: Guard, *, port: str, controller: str) -> dict[str, str]:
    """The lines of `server.properties` that a guard adds or replaces; `port` and `controller` are addresses."""
    me = (
        f'{_PLAIN} required username="{guard.admin}" password="{guard.password}" user_{guard.admin}="{guard.password}";'
    )
    listeners = f"SASL_SSL://{port},CONTROLLER://{controller}"
    return {
        "listeners": listeners,
        "advertised.listeners": listeners,
        "listener.security.protocol.map": "SASL_SSL:SASL_SSL,CONTROLLER:SASL_PLAINTEXT",
        "inter.broker.listener.name": "SASL_SSL",
        "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-512",
        "sasl.mechanism.inter.broker.protocol": "PLAIN",
        "sasl.mechanism.controller.protocol": "PLAIN",
        "listener.name.controller.sasl.enabled.mechanisms": "PLAIN",
        "listener.name.controller.plain.sasl.jaas.config": me,
        "listener.name.sasl_ssl.plain.sasl.jaas.config": me,
        "listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config": f"{_SCRAM} required;",
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": guard.certificate.as_posix(),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": guard.authority.as_posix(),
        "authorizer.class.name": AUTHORIZER,
        "super.users": f"User:{guard.admin}",
        "allow.everyone.if.no.acl.found": "false",
    }
