import os
import signal
import subprocess
import sys
import threading

import pytest

from model import preemption

BUSY = """
import time
from model import preemption
with preemption.watched():
    print("begun", flush=True)
    while True:
        time.sleep(0.01)
"""


def test_nothing_has_come_at_first_and_handlers_are_put_back():
    before = [signal.getsignal(number) for number in preemption.SIGNALS]
    with preemption.watched() as stop:
        assert not stop()
    assert [signal.getsignal(number) for number in preemption.SIGNALS] == before


@pytest.mark.parametrize("number", preemption.SIGNALS)
def test_the_first_signal_is_noted(number, capfd):
    with preemption.watched() as stop:
        os.kill(os.getpid(), number)
        assert stop()
    assert stop.exit_code == 128 + number
    assert ("Ctrl-C again quits at once" in capfd.readouterr().err) == (number == signal.SIGINT)


def test_a_second_ctrl_c_quits_at_once():
    with subprocess.Popen([sys.executable, "-c", BUSY], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        while process.poll() is None:
            process.send_signal(signal.SIGINT)
        assert process.returncode == 130
        assert process.stderr
        assert b"Traceback" not in process.stderr.read()


def test_ctrl_c_that_is_ignored_stays_ignored():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with preemption.watched() as stop:
            os.kill(os.getpid(), signal.SIGINT)
            assert not stop()
    finally:
        signal.signal(signal.SIGINT, before)


def test_outside_the_main_thread_no_signal_comes():
    told = []

    def ask() -> None:
        with preemption.watched() as stop:
            told.append(stop())

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()
    assert told == [False]
