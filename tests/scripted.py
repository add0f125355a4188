"""A service that answers from a script: for answers that no well-built server gives."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from tests.wire import read_message


@dataclass(frozen=True)
class Asked:
    """One request as it came."""

    line: str  #: "POST /token HTTP/1.1"
    fields: Mapping[str, str]  #: by lower-case name
    body: bytes

    @property
    def path(self) -> str:
        """Where it went."""
        return self.line.split(" ")[1]


class ScriptedService:
    """Keeps what it was asked; `answer` gives the bytes of each answer, after which the connection ends."""

    def __init__(self, answer: Callable[[Asked], bytes]) -> None:
        self.url = ""
        self.asked: list[Asked] = []
        self._answer = answer

    def requests(self, path: str) -> list[Asked]:
        """What came to this path."""
        return [asked for asked in self.asked if asked.path == path]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request and end."""
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            head, body = await read_message(reader)
            line, *fields = head.decode().rstrip().split("\r\n")
            pairs = (field.partition(":") for field in fields)
            asked = Asked(line, {name.lower(): value.strip() for name, _, value in pairs}, body)
            self.asked.append(asked)
            writer.write(self._answer(asked))
            await writer.drain()
        writer.close()


@asynccontextmanager
async def open_service(answer: Callable[[Asked], bytes]) -> AsyncIterator[ScriptedService]:
    """A ScriptedService that listens on this loopback address."""
    service = ScriptedService(answer)
    server = await asyncio.start_server(service.serve, "127.0.0.1", 0)
    service.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield service


def http(status: int, body: bytes = b"", **fields: str) -> bytes:
    """An answer with its length announced; `Retry_After="3"` becomes a header of that name."""
    fields = {"Content-Length": str(len(body)), "Connection": "close"} | {
        name.replace("_", "-"): value for name, value in fields.items()
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status} Said\r\n{head}\r\n".encode() + body
