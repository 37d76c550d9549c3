"""Any registry that speaks as Confluent's does, over HTTP: Confluent's own, Apicurio, Redpanda, Karapace and others.

Rules
- A failure that may pass is tried again until the settings' patience ends; then it is `Transient`. What needs a person is `Fatal`.
- A schema is sent with the number it should have. Some registries do not look at it; others take it in IMPORT mode only: then the
  subject is put into that mode for this one request. What counts is the number that comes back.
- In IMPORT mode a registry checks nothing, so its verdict on compatibility is asked for before.
"""

from __future__ import annotations

import json
import ssl
from typing import Any
from urllib.parse import quote

import httpx
import stamina

from infra.errors import Fatal, Transient
from infra.registry.contract import Incompatible, Registered
from infra.settings import RegistrySettings

LIMIT = 8 * 2**20
"""Bytes of an answer; a schema has some ten thousand."""
UP = "is it up, and is BURNLINE_REGISTRY__URL its address?"
_JSON = "application/vnd.schemaregistry.v1+json"
_ABSENT = frozenset({40401, 40402, 40403, 40408, 40409})
"""No such subject, version, schema, compatibility of a subject, mode of a subject."""
_FORBIDDEN_OPERATION = 42205
_INCOMPATIBLE = 409


class _NotPermitted(Fatal):
    """The registry does not do this operation: its mode, or its settings, forbid it."""


class ConfluentRegistry:
    """A client of one registry. May be shared by threads."""

    def __init__(self, settings: RegistrySettings) -> None:
        """Nothing is sent yet. Raises `Fatal` for settings without an address or with an authority that cannot be read."""
        if settings.url is None:
            raise Fatal("no schema registry is configured", remedy="set BURNLINE_REGISTRY__URL")
        self.name = settings.url
        self._patience = settings.patience
        self._http = httpx.Client(
            headers={"Accept": f"{_JSON}, application/json"},
            auth=(settings.user, settings.password.get_secret_value()) if settings.user and settings.password else None,
            verify=_trust(settings),
            timeout=settings.timeout,
        )

    def find(self, subject: str, schema: str) -> Registered | None:
        """Look a schema up under a subject."""
        found = self._ask("POST", f"/subjects/{_part(subject)}", {"schema": schema})
        return None if found is None else Registered(found["id"], found["version"])

    def schema(self, number: int) -> str | None:
        """Fetch a schema."""
        found = self._ask("GET", f"/schemas/ids/{number}")
        return None if found is None else str(found["schema"])

    def compatibility(self, subject: str) -> str | None:
        """Ask for a subject's own compatibility."""
        found = self._ask("GET", f"/config/{_part(subject)}")
        return None if found is None else str(found["compatibilityLevel"])

    def set_compatibility(self, subject: str, level: str) -> None:
        """Set a subject's compatibility."""
        self._ask("PUT", f"/config/{_part(subject)}", {"compatibility": level})

    def register(self, subject: str, schema: str, *, number: int) -> Registered:
        """Register under this number if the registry lets it be chosen, else under the one it chooses."""
        if self.find(subject, schema) is None:
            try:
                self._add(subject, schema, number)
            except _NotPermitted:
                if not self._import(subject, schema, number):
                    self._add(subject, schema)
        made = self.find(subject, schema)
        if made is None:
            raise Fatal(f"{self.name} registered a schema of {subject} and does not find it", remedy="ask its operator")
        return made

    def _add(self, subject: str, schema: str, number: int | None = None) -> None:
        wish = {} if number is None else {"id": number}
        self._ask("POST", f"/subjects/{_part(subject)}/versions", {"schema": schema, **wish})

    def _import(self, subject: str, schema: str, number: int) -> bool:
        """Register under this number in IMPORT mode. False where that cannot be; then nothing has changed."""
        self._refuse_incompatible(subject, schema)
        mode = f"/mode/{_part(subject)}"
        try:
            self._ask("PUT", f"{mode}?force=true", {"mode": "IMPORT"})
        except Fatal:  # it knows no modes, or does not let us set them
            return False
        try:
            self._add(subject, schema, number)
        except _NotPermitted:  # another schema has the number
            return False
        finally:
            self._ask("DELETE", mode)
        return True

    def _refuse_incompatible(self, subject: str, schema: str) -> None:
        path = f"/compatibility/subjects/{_part(subject)}/versions?verbose=true"
        verdict = self._ask("POST", path, {"schema": schema})
        if verdict is not None and not verdict["is_compatible"]:
            raise _incompatible(self.name, subject, "; ".join(verdict.get("messages") or ()))

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        """The registry's answer; None where what was asked for is not there."""
        attempts = None if self._patience else 1
        for attempt in stamina.retry_context(
            on=Transient, attempts=attempts, timeout=self._patience or None, wait_initial=0.1, wait_max=2.0
        ):
            with attempt:
                return self._send(method, path, body)
        raise AssertionError("stamina ends with a result or an exception")

    def _send(self, method: str, path: str, body: Any) -> Any:
        headers = {"Content-Type": _JSON} if body is not None else {}
        try:
            with self._http.stream(method, self.name + path, json=body, headers=headers) as answer:
                content = _limited(answer, self.name)
        except httpx.RequestError as error:  # an answer that cannot be unpacked is one, too
            raise _unreachable(self.name, error) from error
        return self._told(answer, content, path)

    def _told(self, answer: httpx.Response, content: bytes, path: str) -> Any:
        try:
            said = json.loads(content) if content else None
        except ValueError:
            said = None
        if answer.is_success and said is not None:
            return said
        status = answer.status_code
        code = said.get("error_code") if isinstance(said, dict) else None
        if code in _ABSENT:
            return None
        message = said.get("message", "") if isinstance(said, dict) else ""
        told = f"the schema registry {self.name} answers {status} to {path.partition('?')[0]}"
        if message:
            told += f": {message}"
        if status in {401, 403}:
            remedy = "set BURNLINE_REGISTRY__USER and BURNLINE_REGISTRY__PASSWORD to those of one who may do this"
            raise Fatal(told, remedy=remedy)
        if status == 429 or status >= 500:
            raise Transient(told, remedy=UP)
        if status == _INCOMPATIBLE:
            raise _incompatible(self.name, path.split("/")[2], message)
        if code == _FORBIDDEN_OPERATION:
            raise _NotPermitted(told, remedy="put the subject, and the registry, into READWRITE mode")
        raise Fatal(told, remedy="is BURNLINE_REGISTRY__URL the address of a registry that speaks as Confluent's does?")


def _part(text: str) -> str:
    return quote(text, safe="")


def _trust(settings: RegistrySettings) -> ssl.SSLContext | bool:
    if settings.ssl_ca_location is None:
        return True
    try:
        return ssl.create_default_context(cafile=str(settings.ssl_ca_location))
    except (OSError, ssl.SSLError) as error:
        raise Fatal(
            f"{settings.ssl_ca_location} holds no certificate that can be read: {error}",
            remedy="set BURNLINE_REGISTRY__SSL_CA_LOCATION to a PEM file of the authority",
        ) from error


def _limited(answer: httpx.Response, name: str) -> bytes:
    content = b""
    for chunk in answer.iter_bytes():
        content += chunk
        if len(content) > LIMIT:
            raise Fatal(f"the schema registry {name} answers with more than {LIMIT} bytes", remedy=UP)
    return content


def _unreachable(name: str, error: httpx.RequestError) -> Fatal | Transient:
    if isinstance(error, httpx.ConnectError) and "CERTIFICATE_VERIFY_FAILED" in str(error):
        return Fatal(
            f"the certificate of the schema registry {name} cannot be trusted: {error}",
            remedy="set BURNLINE_REGISTRY__SSL_CA_LOCATION to the file of the authority that signed it",
        )
    return Transient(f"the schema registry {name} does not answer: {error or type(error).__name__}", remedy=UP)


def _incompatible(name: str, subject: str, why: str) -> Incompatible:
    return Incompatible(
        f"{name} refuses a new version of {subject}: {why or 'it is not compatible with the versions before'}",
        remedy="run `burnline schemas check`; what cannot be compatible needs a new topic",
    )
