"""Measure delivery against the loops that people write, and print tables of ratios (plain script, no test).

    python tests/bench/delivery.py                       all of it, about fifteen minutes
    python tests/bench/delivery.py --quick               a tenth of the messages, fewer rounds
    python tests/bench/delivery.py --only speed batches  some of: speed slow batches ledger memory pace

All send to one cheap service on loopback (sink.py), one after the other in interleaved rounds, so that a busy machine
slows all of them; ratios are taken within a round, and the median of the rounds is shown. A rate is that from the
first request to the last, as the service saw them. `campaigns send` is the whole command: ledger, reports and all.
Needs Linux or macOS.
"""

import argparse
import asyncio
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final
from urllib.request import urlopen

import psutil

PACKAGES: Final = ("aiohttp", "uvloop", "aiolimiter", "requests", "SQLAlchemy")
LONGEST_S: Final = 1200  #: a process that takes longer is ended
TEXT: Final = "Hej {{ namn }}! Din kod: {{ kod }}. Svara STOPP för att slippa. /Lindbergs"
ONE_TEXT: Final = "Vi har öppet till kl. 20 i kväll. Svara STOPP för att slippa. /Lindbergs"
NO_LIMIT: Final = "900000/s"  #: the highest rate that can be given
WORKERS: Final = 64
MB: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Sent:
    """What came at the service, and what the sender took for it."""

    requests: int
    recipients: int
    seconds: float  #: from the first request to the last
    moments: Sequence[float]  #: when each came, in seconds
    whole_s: float = 0.0  #: of the whole process
    memory: int = 0  #: the most that it held while it sent, in bytes

    @property
    def requests_per_s(self) -> float:
        return (self.requests - 1) / self.seconds if self.seconds else 0.0

    @property
    def recipients_per_s(self) -> float:
        return self.recipients / self.seconds if self.seconds else 0.0


class Sink:
    """The cheap service, in a process of its own."""

    def __init__(self, url: str) -> None:
        self.url = url

    def take(self) -> Sent:
        """What came since the last look."""
        with urlopen(f"{self.url}/stats") as answer:
            stats = json.load(answer)
        moments = sorted(stats["moments"])
        seconds = moments[-1] - moments[0] if moments else 0.0
        return Sent(len(moments), stats["recipients"], seconds, moments)


@contextmanager
def a_sink(latency_s: float = 0.0) -> Iterator[Sink]:
    """A service that answers after so long."""
    command = [sys.executable, str(Path(__file__).parent / "sink.py"), str(latency_s)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield Sink(process.stdout.readline().strip())
        finally:
            process.terminate()


class Bench:
    """The lists, and the ways to send them."""

    def __init__(self, folder: Path, scale: float, rounds: int) -> None:
        self.folder, self.scale, self.rounds = folder, scale, rounds

    def size(self, messages: int) -> int:
        """So many messages, or a tenth of them."""
        return max(50, int(messages * self.scale))

    def a_list(self, size: int) -> Path:
        """A list of made-up people."""
        path = self.folder / f"people-{size}.csv"
        if not path.exists():
            with path.open("w", encoding="utf-8") as file:
                file.write("Namn;Mobil;Kod\n")
                file.writelines(f"Åsa {n};+46{700_000_000 + n};K-{n:07}\n" for n in range(size))
        return path

    def rival(self, sink: Sink, kind: str, size: int, workers: int) -> Sent:
        """Send so many messages in one of the ways that are no product."""
        self._process([sys.executable, __file__, f"child-{kind}", sink.url, str(size), str(workers)], {})
        return sink.take()

    def send(self, sink: Sink, size: int, *, text: str = TEXT, workers: int = WORKERS, rate: str = NO_LIMIT) -> Sent:
        """`campaigns send`, whole, on a new ledger."""
        for old in self.folder.glob("ledger.db*"):
            old.unlink()
        shutil.rmtree(self.folder / "reports", ignore_errors=True)
        options = ["--message", text, "--concurrency", str(workers), "--rate", rate]
        return self.command(sink, "send", str(self.a_list(size)), *options)

    def command(self, sink: Sink, *words: str) -> Sent:
        """One command of ours, and what came of it."""
        environment = {
            "CAMPAIGNS_SANDBOX_URL": sink.url,
            "CAMPAIGNS_SANDBOX_FROM": "Lindbergs",
            "CAMPAIGNS_DATABASE": str(self.folder / "ledger.db"),
        }
        account = ["--provider", "sandbox"] if words[0] == "send" else []
        whole_s, memory = self._process([sys.executable, "-m", "campaigns", *words, *account, "--yes"], environment)
        sent = sink.take()
        return Sent(sent.requests, sent.recipients, sent.seconds, sent.moments, whole_s, memory)

    def _process(self, command: Sequence[str], environment: Mapping[str, str]) -> tuple[float, int]:
        """Run it; its seconds, and the most memory that it held."""
        begun, most = time.perf_counter(), 0
        with subprocess.Popen(
            command, cwd=self.folder, env=os.environ | environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        ) as process:
            watched = psutil.Process(process.pid)
            while process.poll() is None:
                try:
                    most = max(most, watched.memory_info().rss)
                except psutil.NoSuchProcess:
                    break
                if time.perf_counter() - begun > LONGEST_S:
                    process.kill()
                time.sleep(0.05)
            output = process.stdout.read().decode() if process.stdout else ""
        if process.returncode:
            sys.exit(f"{' '.join(command)} ended with {process.returncode}:\n{output[-2000:]}")
        return time.perf_counter() - begun, most


# --- What is measured -----------------------------------------------------------------------------------------------


def speed(bench: Bench) -> None:
    """Without latency: a bare aiohttp loop, the command, threads, and one request after the other."""
    size, few = bench.size(30_000), bench.size(3_000)
    ways: dict[str, Callable[[Sink], Sent]] = {
        "bare aiohttp and uvloop": lambda sink: bench.rival(sink, "bare", size, WORKERS),
        "`campaigns send`": lambda sink: bench.send(sink, size),
        f"requests in {WORKERS} threads": lambda sink: bench.rival(sink, "threads", few, WORKERS),
        "requests, one after the other": lambda sink: bench.rival(sink, "plain", few, 1),
    }
    with a_sink() as sink:
        found = [{name: way(sink) for name, way in ways.items()} for _ in range(bench.rounds)]
    _table(f"No latency, {size:,} messages, {WORKERS} at once", found, "`campaigns send`")
    ours = [round_["`campaigns send`"] for round_ in found]
    beside = statistics.median(sent.whole_s - sent.seconds for sent in ours)
    print(f"\nBeside it `campaigns send` takes {beside:.1f} s: start, planning, log-in and three reports.")


def slow(bench: Bench) -> None:
    """With 50 ms latency and 100 at once: Little's law allows 2,000 a second."""
    latency_s, workers, size, few = 0.05, 100, bench.size(20_000), bench.size(200)
    ways: dict[str, Callable[[Sink], Sent]] = {
        "bare aiohttp and uvloop": lambda sink: bench.rival(sink, "bare", size, workers),
        "`campaigns send`": lambda sink: bench.send(sink, size, workers=workers),
        "requests, one after the other": lambda sink: bench.rival(sink, "plain", few, 1),
    }
    with a_sink(latency_s) as sink:
        found = [{name: way(sink) for name, way in ways.items()} for _ in range(bench.rounds)]
    _table(f"50 ms latency, {size:,} messages, {workers} at once", found, "`campaigns send`")
    allowed = workers / latency_s
    share = statistics.median(round_["`campaigns send`"].requests_per_s for round_ in found) / allowed
    print(f"\nOf the {allowed:,.0f}/s that Little's law allows: {share:.1%}.")


def batches(bench: Bench) -> None:
    """Identical texts share requests of up to 100."""
    size = bench.size(30_000)
    with a_sink() as sink:
        found = [
            {
                "each with a text of their own": bench.send(sink, size),
                "all with one text": bench.send(sink, size * 10, text=ONE_TEXT),
            }
            for _ in range(bench.rounds)
        ]
    _table(f"{size:,} messages by one, {size * 10:,} in batches", found, "all with one text", by="recipients")


def ledger(bench: Bench) -> None:
    """Whose CPU it is while single messages are sent, by thread."""
    size, shares = bench.size(30_000), []
    with a_sink() as sink:
        for _ in range(bench.rounds):
            command = [sys.executable, __file__, "child-ledger", sink.url, str(bench.a_list(size)), str(WORKERS)]
            found = subprocess.run(command, cwd=bench.folder, capture_output=True, text=True, timeout=LONGEST_S)
            shares.append(json.loads(found.stdout))
    writer, all_ = (statistics.median(share[key] for share in shares) for key in ("ledger", "all"))
    print(f"\nCPU of a message: {all_ / size * 1e6:.0f} µs, of it the ledger's thread {writer / size * 1e6:.0f} µs")
    print(f"({writer / all_:.1%}), median of {bench.rounds}.")


def memory(bench: Bench) -> None:
    """What a process that only delivers holds: `resume` of what was planned before."""
    print("\n| Messages | Peak memory while delivering | Requests a second |\n|--:|--:|--:|")
    with a_sink() as sink:
        for size in (10_000, 100_000, bench.size(1_000_000)):
            _pilot(bench, sink, size)
            sent = bench.command(sink, "resume", f"people-{size}", "--rate", NO_LIMIT)
            print(f"| {size:,} | {sent.memory / MB:.0f} MB | {sent.requests_per_s:,.0f} |")


def _pilot(bench: Bench, sink: Sink, size: int) -> None:
    for old in bench.folder.glob("ledger.db*"):
        old.unlink()
    options = ["--message", TEXT, "--concurrency", str(WORKERS), "--limit", "1"]
    bench.command(sink, "send", str(bench.a_list(size)), *options)


def pace(bench: Bench) -> None:
    """How near the rate is kept: the mean, and the fullest second at the door of the service."""
    print("\n| Rate | Mean | Of the rate | Fullest second at the service |\n|--:|--:|--:|--:|")
    with a_sink(0.005) as sink:
        for rate in (10, 100, 1_000, 3_000):
            sent = bench.send(sink, rate * 10, rate=f"{rate}/s")
            fullest = fullest_second(sent.moments)
            mean = sent.requests_per_s
            print(f"| {rate:,}/s | {mean:,.1f}/s | {mean / rate:.1%} | {fullest:,} |")


def fullest_second(moments: Sequence[float]) -> int:
    """The most requests in any sliding second."""
    fullest = first = 0
    for place, moment in enumerate(moments):
        while moment - moments[first] >= 1.0:
            first += 1
        fullest = max(fullest, place - first + 1)
    return fullest


CASES: Final = {one.__name__: one for one in (speed, slow, batches, ledger, memory, pace)}


def _table(title: str, rounds: Sequence[Mapping[str, Sent]], ours: str, by: str = "requests") -> None:
    """One line for each way: its median rate, and how many times faster than it ours is in the same round."""
    print(f"\n{title}, median of {len(rounds)} rounds:\n\n| Way | {by.capitalize()} a second | {ours} against it |")
    print("|---|--:|--:|")
    for name in rounds[0]:
        rates = [getattr(round_[name], f"{by}_per_s") for round_ in rounds]
        ratios = [getattr(round_[ours], f"{by}_per_s") / rate for round_, rate in zip(rounds, rates, strict=True)]
        against = "" if name == ours else f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
        print(f"| {name} | {statistics.median(rates):,.0f} | {against} |")
    sys.stdout.flush()


# --- The other ways, each in a process of its own, importing only what it needs ---------------------------------------


def bodies(size: int) -> Iterator[dict[str, object]]:
    """What a program that holds its list in memory would send."""
    for n in range(size):
        text = f"Hej Åsa {n}! Din kod: K-{n:07}. Svara STOPP för att slippa. /Lindbergs"
        yield {"from": "Lindbergs", "to": [f"+46{700_000_000 + n}"], "message": text}


def bare(url: str, size: str, workers: int) -> None:
    """Workers around one aiohttp session, and nothing else."""
    import aiohttp
    import uvloop
    from yarl import URL

    address, todo = URL(f"{url}/sms/skicka"), bodies(int(size))
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {'t' * 60}"}

    async def work(http: aiohttp.ClientSession) -> None:
        for body in todo:
            async with http.post(address, data=json.dumps(body).encode(), headers=headers) as response:
                json.loads(await response.read())

    async def main() -> None:
        async with aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=workers),
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding"),
        ) as http:
            await asyncio.gather(*(work(http) for _ in range(workers)))

    uvloop.run(main())


def threads(url: str, size: str, workers: int) -> None:
    """requests in a thread pool, a session a thread."""
    import requests

    local = threading.local()

    def post(body: dict[str, object]) -> None:
        if not hasattr(local, "http"):
            local.http = requests.Session()
            local.http.trust_env = False
        local.http.post(f"{url}/sms/skicka", json=body).json()

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(post, bodies(int(size))))


def plain(url: str, size: str, _: int) -> None:
    """The commonest script: one `requests.post` after the other."""
    import requests

    for body in bodies(int(size)):
        requests.post(f"{url}/sms/skicka", json=body, headers={"Authorization": "Bearer t"}).json()


def cpu_of_ledger(url: str, file: str, workers: int) -> None:
    """Send a list from this process, and print the CPU seconds of the ledger's thread and of all."""
    from campaigns import Campaign, Settings, open_ledger, plan
    from campaigns.cli.running import run
    from campaigns.delivery.stop import Stop
    from campaigns.pipeline import Summary, send

    account = Settings.load().account("sandbox").with_url(url)
    campaign = Campaign.load(file, message=TEXT, rate=NO_LIMIT, concurrency=workers, from_="Lindbergs")
    place = Path(file).parent / "cpu.db"
    for old in place.parent.glob("cpu.db*"):
        old.unlink()
    with open_ledger(place) as opened, plan(campaign, ledger=opened, account=account) as planned:
        cpu: dict[str, float] = {}
        begun = time.process_time()

        async def all_of_it() -> Summary:
            summary = await send(planned)
            names = {thread.native_id: thread.name for thread in threading.enumerate()}
            for thread in psutil.Process().threads():
                cpu[names.get(thread.id, "other")] = thread.user_time + thread.system_time
            return summary

        run(all_of_it, Stop())
        print(json.dumps({"ledger": cpu["ledger-writer"], "all": time.process_time() - begun}))


CHILDREN: Final = {"child-bare": bare, "child-threads": threads, "child-plain": plain, "child-ledger": cpu_of_ledger}


def main() -> None:
    """Measure what was asked for and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a tenth of the messages, fewer rounds")
    parser.add_argument("--only", nargs="+", choices=CASES, metavar="CASE", help=f"some of: {', '.join(CASES)}")
    parser.add_argument("--rounds", type=int, help="of each comparison  [default: 5, or 2 with --quick]")
    options = parser.parse_args()
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    print(
        f"{datetime.now(UTC).date()}, {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    )
    print(packages)
    with tempfile.TemporaryDirectory(prefix="campaigns-bench-") as folder:
        rounds = options.rounds or (2 if options.quick else 5)
        bench = Bench(Path(folder), 0.1 if options.quick else 1.0, rounds)
        for name in options.only or CASES:
            CASES[name](bench)


if __name__ == "__main__":
    if sys.argv[1:] and sys.argv[1] in CHILDREN:
        CHILDREN[sys.argv[1]](sys.argv[2], sys.argv[3], int(sys.argv[4]))
    else:
        main()
