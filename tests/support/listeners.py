"""Addresses at which nobody answers: one that refuses, one that takes every connection and says nothing, one that talks nonsense."""

import socket
import socketserver
import threading
from contextlib import contextmanager

from tests.support.ports import free_port


@contextmanager
def silent():
    """The port of a listener that is never read from."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        yield listener.getsockname()[1]


@contextmanager
def saying(answer: bytes):
    """The port of a listener that answers each request with these bytes, and hangs up."""

    class Sayer(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.recv(65536)
            self.request.sendall(answer)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Sayer) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


def closed():
    """A port at which nobody listens."""
    return free_port()
