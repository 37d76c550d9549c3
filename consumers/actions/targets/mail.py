"""Mails by SMTP, each with a Message-ID made from its action.

A mail server may deliver the same Message-ID twice, so a mail is sent again only where the server certainly did not take it: of a
connection that breaks after the text was sent, and before the server answered, nobody knows.
"""

from __future__ import annotations

import asyncio
import contextlib
import smtplib
import ssl
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import cast

from consumers.actions.targets.base import Asked, Means
from consumers.actions.targets.failed import TargetFailed
from consumers.core.plan import Planned
from consumers.core.retry import Failure
from consumers.core.targets.mail import Letter, Mail, letter
from infra.errors import Fatal, Transient
from infra.settings import MailSettings

AT_ONCE = 4
OK = 250


def make(asked: Sequence[Asked], means: Means) -> Mails:
    """The target. Raises `Fatal` where no mail server is configured."""
    if means.mail.host is None or means.mail.sender is None:
        raise Fatal(
            f"the policy rule {asked[0].rule} sends mail, but no mail server is configured",
            remedy="set BURNLINE_MAIL__HOST and BURNLINE_MAIL__SENDER, or take the target out of the policy",
        )
    return Mails(means.mail, means.mail.host, means.mail.sender)


class Mails:
    """A connection for each mail, from few threads."""

    idempotent = False

    def __init__(self, settings: MailSettings, host: str, sender: str) -> None:
        """Nothing is connected yet."""
        self._settings, self._host, self._sender = settings, host, sender
        self._threads = ThreadPoolExecutor(AT_ONCE, "mail-actions")

    async def check(self) -> None:
        """Connect and log in. Raises `Fatal` for a password or a certificate, `Transient` where nobody answers."""
        await asyncio.get_running_loop().run_in_executor(self._threads, self._check)

    async def act(self, planned: Planned) -> str | None:
        """Send it; returns its Message-ID."""
        target = cast("Mail", planned.target)
        domain = self._sender.rpartition("@")[2]
        wanted = letter(target, planned.alert, planned.action_id, planned.thread, domain)
        await asyncio.get_running_loop().run_in_executor(self._threads, self._send, wanted, target.to)
        return wanted.message_id

    async def close(self) -> None:
        """Let the mails under way end."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _check(self) -> None:
        place = f"{self._host}:{self._settings.port}"
        try:
            with self._connected():
                pass
        except smtplib.SMTPAuthenticationError as error:
            raise Fatal(
                f"the mail server {place} refused the user or the password: {_said(error)}",
                remedy="correct BURNLINE_MAIL__USER and BURNLINE_MAIL__PASSWORD",
            ) from None
        except (ssl.SSLCertVerificationError, smtplib.SMTPNotSupportedError) as error:
            raise Fatal(
                f"the mail server {place} does not speak TLS that can be trusted: {error}",
                remedy="correct its certificate, or BURNLINE_MAIL__TLS and BURNLINE_MAIL__SSL_CA_LOCATION",
            ) from None
        except (smtplib.SMTPException, OSError) as error:
            raise Transient(f"no mail server answers at {place}: {error}", remedy="is it up?") from None

    def _send(self, wanted: Letter, recipients: Sequence[str]) -> None:
        content = self._message(wanted, recipients).as_bytes(policy=SMTP)
        handed_over = False
        try:
            with self._connected() as server:
                _take(server.mail(self._sender), "the sender", self._sender)
                for recipient in recipients:
                    _take(server.rcpt(recipient), "the recipient", recipient)
                handed_over = True
                _take(server.data(content), "the mail", wanted.message_id)
        except smtplib.SMTPAuthenticationError as error:
            raise TargetFailed(Failure(f"the mail server refused the user or the password: {_said(error)}")) from None
        except smtplib.SMTPResponseException as error:  # it answered: it did not take the mail
            raise TargetFailed(Failure(f"the mail server answered {_said(error)}")) from None
        except (smtplib.SMTPException, OSError) as error:
            raise TargetFailed(Failure(f"{type(error).__name__}: {error}", uncertain=handed_over)) from None

    def _message(self, wanted: Letter, recipients: Sequence[str]) -> EmailMessage:
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = self._sender, ", ".join(recipients), wanted.subject
        message["Date"] = format_datetime(datetime.now(UTC))
        message["Message-ID"] = wanted.message_id
        message["References"] = wanted.thread_id
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(wanted.text)
        return message

    @contextlib.contextmanager
    def _connected(self) -> Iterator[smtplib.SMTP]:
        settings, context = self._settings, ssl.create_default_context()
        if settings.ssl_ca_location is not None:
            context.load_verify_locations(settings.ssl_ca_location)
        if settings.tls == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                self._host, settings.port, timeout=settings.timeout, context=context
            )
        else:
            server = smtplib.SMTP(self._host, settings.port, timeout=settings.timeout)
        try:
            if settings.tls == "starttls":
                server.starttls(context=context)
            server.ehlo_or_helo_if_needed()
            if settings.user is not None and settings.password is not None:
                server.login(settings.user, settings.password.get_secret_value())
            yield server
            with contextlib.suppress(
                smtplib.SMTPException, OSError
            ):  # it was all said: a broken farewell changes nothing
                server.quit()
        finally:
            server.close()


def _take(answer: tuple[int, bytes], what: str, which: str) -> None:
    """Raises `TargetFailed` unless the server took it: 4xx may pass, 5xx will not."""
    code, said = answer
    if code not in {OK, OK + 1}:
        words = said.decode("utf-8", "replace")
        raise TargetFailed(Failure(f"the mail server refused {what} {which}: {code} {words}", final=code >= 500))


def _said(error: smtplib.SMTPResponseException) -> str:
    said = error.smtp_error
    return f"{error.smtp_code} {said.decode('utf-8', 'replace') if isinstance(said, bytes) else said}"
