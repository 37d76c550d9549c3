"""A real mail server on loopback that keeps what it took, and misbehaves as it is told."""

import ssl
import threading
from email import message_from_bytes
from email.policy import default

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from tests.support.ports import free_port

USER, PASSWORD = "burnline", "right"


class MailServer:
    """`refuses` maps a recipient to the answer it gets; `breaks` hangs up after it took a mail, before it says so."""

    def __init__(self, tls: ssl.SSLContext | None = None):
        self.taken = []
        self.refuses = {}
        self.breaks = False
        self.held, self.hold, self.release = threading.Event(), False, threading.Event()
        self.port = free_port()
        server = self

        class Handler:
            async def handle_RCPT(self, _server, _session, envelope, address, _options):
                if address in server.refuses:
                    return server.refuses[address]
                envelope.rcpt_tos.append(address)
                return "250 OK"

            async def handle_DATA(self, smtp, _session, envelope):
                server.taken.append((envelope.rcpt_tos, message_from_bytes(envelope.content, policy=default)))
                server.held.set()
                if server.hold:
                    await smtp.loop.run_in_executor(None, server.release.wait, 60)
                if server.breaks:
                    smtp.transport.abort()
                return "250 taken"

        def authenticated(_server, _session, _envelope, _mechanism, data):
            right = isinstance(data, LoginPassword) and data == LoginPassword(USER.encode(), PASSWORD.encode())
            return AuthResult(success=right, handled=False)

        secured = {"tls_context": tls, "require_starttls": True, "authenticator": authenticated} if tls else {}
        self.controller = Controller(Handler(), hostname="127.0.0.1", port=self.port, **secured)

    def __enter__(self):
        self.controller.start()
        return self

    def __exit__(self, *_):
        self.release.set()
        self.controller.stop()
