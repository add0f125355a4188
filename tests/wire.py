"""A network that goes wrong: a TCP proxy that can stand before any HTTP server, and break at a chosen request."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from enum import Enum, auto
from urllib.parse import urlsplit


class Fault(Enum):
    """What the network does to one request."""

    RESET_BEFORE = auto()  #: the connection is reset, and the server never sees the request
    RESET_AFTER = auto()  #: the server answered; the connection is reset with nothing of it passed on
    STALL = auto()  #: the server answered; nothing is passed on, and the connection stays open
    CUT = auto()  #: the server's answer ends in the middle of its body


class Wire:
    """The proxy: `url` is where it listens, `choose` is asked for the fault of each request by its first line."""

    def __init__(self, target: str) -> None:
        parts = urlsplit(target)
        self.url = ""
        self.choose: Callable[[str], Fault | None] = lambda _: None
        self._target = (parts.hostname or "", parts.port or 80)
        self._clients: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass one client's requests on until either side ends, or a fault does."""
        task = asyncio.current_task()
        assert task is not None
        self._clients[task] = writer
        upstream_reader, upstream = await asyncio.open_connection(*self._target)
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                while await self._pass_on(reader, writer, upstream_reader, upstream):
                    pass
        finally:
            upstream.close()
            writer.close()
            del self._clients[task]

    async def close(self) -> None:
        """End the connections that are open, stalled ones too."""
        tasks = list(self._clients)
        for writer in self._clients.values():
            writer.transport.abort()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _pass_on(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        upstream_reader: asyncio.StreamReader,
        upstream: asyncio.StreamWriter,
    ) -> bool:
        head, body = await read_message(reader)
        fault = self.choose(head.split(b"\r\n", 1)[0].decode())
        if fault is Fault.RESET_BEFORE:
            return reset(writer)
        upstream.write(head + body)
        head, body = await read_message(upstream_reader)
        if fault is Fault.RESET_AFTER:
            return reset(writer)
        if fault is Fault.STALL:
            await reader.read()
            return False
        writer.write(head + (body[: len(body) // 2] if fault is Fault.CUT else body))
        await writer.drain()
        return fault is None


@asynccontextmanager
async def open_wire(target: str) -> AsyncIterator[Wire]:
    """A Wire to the server at the URL `target`."""
    wire = Wire(target)
    server = await asyncio.start_server(wire.serve, "127.0.0.1", 0)
    wire.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        async with server:
            yield wire
    finally:
        await wire.close()


async def read_message(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """One HTTP request or answer, as head and body; a body without a length is read to the end."""
    head = await reader.readuntil(b"\r\n\r\n")
    fields = {name.strip().lower(): value.strip() for name, _, value in _fields(head)}
    if b"content-length" in fields:
        return head, await reader.readexactly(int(fields[b"content-length"]))
    if fields.get(b"transfer-encoding") == b"chunked":
        return head, await _read_chunks(reader)
    without_body = not head.startswith(b"HTTP/") or head.split(b" ", 2)[1] in (b"204", b"304")
    return head, b"" if without_body else await reader.read()


def reset(writer: asyncio.StreamWriter) -> bool:
    """End a connection with a reset in place of a farewell; False, for nothing more can pass."""
    lingering = struct.pack("ii", 1, 0)  # on, for no time: the kernel then sends a reset
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, lingering)
    writer.transport.abort()
    return False


def _fields(head: bytes) -> list[tuple[bytes, bytes, bytes]]:
    return [line.partition(b":") for line in head.split(b"\r\n")[1:]]


async def _read_chunks(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while True:
        size = await reader.readuntil(b"\r\n")
        body += size + await reader.readexactly(int(size.split(b";")[0], 16) + 2)
        if int(size.split(b";")[0], 16) == 0:
            return body
