"""The words to stop, wherever they find a sender: it ends within seconds, says how to go on, and nobody is lost."""

import signal
import socket
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from campaigns.web.sandbox import Misbehaviour, Sandbox, embedded_sandbox
from tests.crash.senders import (
    IN_FLIGHT,
    Desk,
    a_desk,
    check_all_accounted,
    finish,
    is_planning,
    read_until,
    report_lines,
    wait_until,
    write_list,
)

SOON_S = 20  #: on a busy machine; no answer, hold or time-out below is as short


@pytest.fixture
def free_port() -> int:
    """A port that nobody listens on; it is asked for by number, so that a service can come back to it."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        return int(listener.getsockname()[1])


@pytest.mark.parametrize("word", [signal.SIGINT, signal.SIGTERM])
def test_the_first_word_to_stop_finishes_what_left_and_says_how_to_go_on(
    desk: Desk, sandbox: Sandbox, word: signal.Signals
) -> None:
    process = desk.send("--rate", "100/s")
    wait_until(lambda: len(sandbox.carrier.messages) >= 50, process)
    process.send_signal(word)
    code, _, errors = finish(process, SOON_S)
    assert code == 130
    assert "campaigns resume lista" in errors
    assert set(check_all_accounted(desk, sandbox.carrier.messages)) == {"accepted", "planned"}


@pytest.mark.parametrize("words", [2, 3])
def test_the_second_word_does_not_wait_for_a_provider_that_never_answers(tmp_path: Path, words: int) -> None:
    with embedded_sandbox(Misbehaviour(latency_s=3600)) as sandbox:
        desk = a_desk(tmp_path, str(tmp_path / "ledger.db"), sandbox.url)
        process = desk.send("--rate", "1000/s", "--concurrency", str(IN_FLIGHT))
        wait_until(lambda: len(sandbox.carrier.messages) == IN_FLIGHT, process)
        process.send_signal(signal.SIGINT)
        read_until(f"Waiting for {IN_FLIGHT} answers", process)
        for _ in range(words - 1):
            process.send_signal(signal.SIGINT)
        code, _, errors = finish(process, SOON_S)
        assert code == 130
        if words == 3:  # it may come while the reports are written, or before
            finish(desk.start("report", "lista", "--to", "reports/lista.csv"))
        else:
            assert "campaigns resume lista" in errors
        by_status = check_all_accounted(desk, sandbox.carrier.messages)
    assert by_status == {"unknown": IN_FLIGHT, "planned": desk.people - IN_FLIGHT}
    assert {line["reason"] for line in report_lines(desk) if line["status"] == "unknown"} == {"interrupted"}


def test_a_word_while_the_provider_asked_to_wait_ends_the_wait(tmp_path: Path) -> None:
    with embedded_sandbox(Misbehaviour(throttle_first=10**6, retry_after_s=60)) as sandbox:
        desk = a_desk(tmp_path, str(tmp_path / "ledger.db"), sandbox.url)
        process = desk.send()
        read_until("held for", process)
        process.send_signal(signal.SIGINT)
        code, output, _ = finish(process, SOON_S)
        assert code == 130
        assert "lista is paused: you stopped it at" in output
    assert {(line["status"], line["tries"]) for line in report_lines(desk)} == {("planned", "0")}


def test_a_word_while_the_provider_is_gone_ends_the_wait(tmp_path: Path, free_port: int) -> None:
    with embedded_sandbox(Misbehaviour(latency_s=0.005), port=free_port) as before:
        desk = a_desk(tmp_path, str(tmp_path / "ledger.db"), before.url)
        process = desk.send("--rate", "300/s")
        wait_until(lambda: len(before.carrier.messages) >= 50, process)
    read_until("held for", process)
    process.send_signal(signal.SIGINT)
    code, _, _ = finish(process, SOON_S)
    assert code == 130
    by_status = check_all_accounted(desk, before.carrier.messages)
    assert set(by_status) <= {"accepted", "planned", "unknown"}  # unknown: what was cut off while it closed
    assert by_status["unknown"] <= IN_FLIGHT


def test_a_provider_that_comes_back_gets_everything_once(tmp_path: Path, free_port: int) -> None:
    with embedded_sandbox(Misbehaviour(latency_s=0.005), port=free_port) as before:
        desk = a_desk(tmp_path, str(tmp_path / "ledger.db"), before.url)
        process = desk.send("--rate", "300/s")
        wait_until(lambda: len(before.carrier.messages) >= 50, process)
    read_until("held for", process)
    with embedded_sandbox(Misbehaviour(latency_s=0.005), port=free_port) as after:
        code, _, _ = finish(process)
        by_status = check_all_accounted(desk, [*before.carrier.messages, *after.carrier.messages])
    assert code == (1 if by_status["unknown"] else 0)
    assert set(by_status) <= {"accepted", "unknown"}  # what was cut off while it closed
    assert by_status["unknown"] <= IN_FLIGHT


def test_a_word_while_the_log_in_hangs_sends_nothing_and_ends(desk: Desk) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:  # takes connections and never answers
        process = replace(desk, url=f"http://127.0.0.1:{listener.getsockname()[1]}").send()
        connection, _ = listener.accept()
        with closing(connection):
            connection.recv(1)  # it has asked
            process.send_signal(signal.SIGINT)
            code, output, _ = finish(process, SOON_S)
    assert code == 130
    assert "lista is paused: you stopped it at" in output
    assert {line["status"] for line in report_lines(desk)} == {"planned"}


def test_a_word_while_planning_leaves_nothing(desk: Desk, sandbox: Sandbox) -> None:
    write_list(desk.folder, 60_000)
    process = desk.send()
    wait_until(lambda: is_planning(desk), process)
    process.send_signal(signal.SIGINT)
    code, output, errors = finish(process, SOON_S)
    assert (code, output) == (130, "")
    assert errors.endswith("Nothing was sent.\n")
    assert (finish(desk.start("list", "--json"))[1], sandbox.requests) == ("[]\n", 0)
