"""A receiver of webhooks that does as little as one can, in a process of its own, and tells at the end what came when.

Prints its port; answers each line on its standard input with what it saw since the line before, as JSON: path, id of the event, subject,
and the time. Paths that begin with `/hang` get no answer.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time

ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"
SEEN: list[tuple[str, bytes, float]] = []


class Receiver(asyncio.Protocol):
    """One connection, kept open."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport, self.buffer = transport, b""

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            head = self.buffer[:end].lower()
            at = head.index(b"content-length:") + 15
            length = int(head[at:].partition(b"\r\n")[0])
            if len(self.buffer) < end + 4 + length:
                return
            body, self.buffer = self.buffer[end + 4 : end + 4 + length], self.buffer[end + 4 + length :]
            path = head.split(b" ", 2)[1].decode()
            SEEN.append((path, body, time.time()))
            if not path.startswith("/hang"):
                self.transport.write(ANSWER)  # type: ignore[attr-defined]  # a stream's transport


async def main() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Receiver, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    while await loop.run_in_executor(None, sys.stdin.readline):
        told, SEEN[:] = list(SEEN), []
        events = [(path, json.loads(body), at) for path, body, at in told]
        print(json.dumps([(path, event["id"], event["subject"], at) for path, event, at in events]), flush=True)


asyncio.run(main())
