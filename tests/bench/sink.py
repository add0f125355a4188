"""The cheapest service that can be: takes texts as fast as a socket gives them, and remembers when each came.

    python tests/bench/sink.py [LATENCY_S]      its first line of output is its address

A raw asyncio Protocol, since any web framework would be slower than what is measured. It speaks the Text API:

    POST /token          any log-in
    POST /sms/skicka     {"from", "to", "message"}  ->  {"messages": [{"to", "id", "accepted"}]}
    GET /stats           what came since the last time that it was asked
"""

import asyncio
import json
import re
import sys
from array import array
from itertools import count

import uvloop

NUMBER = re.compile(rb'"(\+[0-9]+)"')
LENGTH = re.compile(rb"(?i)\r\ncontent-length: *([0-9]+)")
TOKEN = json.dumps({"access_token": "t" * 60, "token_type": "bearer", "expires_in": 86400, "userName": "u"}).encode()


class Stats:
    """When each request came, in seconds of the loop's clock, and how many recipients all of them had."""

    def __init__(self) -> None:
        self.moments = array("d")
        self.recipients = 0

    def take(self) -> bytes:
        """What came, as JSON; then it begins anew."""
        moments, recipients = self.moments, self.recipients
        self.moments, self.recipients = array("d"), 0
        return json.dumps({"moments": moments.tolist(), "recipients": recipients}).encode()


class Door(asyncio.Protocol):
    """One connection."""

    def __init__(self, loop: asyncio.AbstractEventLoop, stats: Stats, latency_s: float, ids: "count[int]") -> None:
        self.loop, self.stats, self.latency_s, self.ids = loop, stats, latency_s, ids
        self.buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            head = self.buffer[:end]
            length = LENGTH.search(head)
            whole = end + 4 + (int(length[1]) if length else 0)
            if len(self.buffer) < whole:
                return
            body, self.buffer = self.buffer[end + 4 : whole], self.buffer[whole:]
            self.answer(head, body)

    def answer(self, head: bytes, body: bytes) -> None:
        if head.startswith(b"POST /sms"):
            self.stats.moments.append(self.loop.time())
            numbers = NUMBER.findall(body)
            self.stats.recipients += len(numbers)
            said = b",".join(b'{"to":"%s","id":"s%d","accepted":true}' % (number, next(self.ids)) for number in numbers)
            answer = b'{"messages":[' + said + b"]}"
            if self.latency_s:
                self.loop.call_later(self.latency_s, self.write, answer)
                return
        else:
            answer = self.stats.take() if head.startswith(b"GET /stats") else TOKEN
        self.write(answer)

    def write(self, body: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
            )


async def serve(latency_s: float) -> None:
    """Listen on loopback until this process is ended."""
    loop, stats, ids = asyncio.get_running_loop(), Stats(), count(1)
    server = await loop.create_server(lambda: Door(loop, stats, latency_s, ids), "127.0.0.1", 0, backlog=2048)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(float(sys.argv[1]) if len(sys.argv) > 1 else 0.0))
