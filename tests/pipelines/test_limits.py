import contextvars
import signal
import subprocess
import sys
import threading

import pytest

from pipelines.limits import timed
from pipelines.outcomes import Rejected


def test_work_in_time_is_done():
    assert timed(lambda: 6 * 7, seconds=60) == 42


def test_what_the_work_raises_is_raised():
    with pytest.raises(ZeroDivisionError):
        timed(lambda: 1 // 0, seconds=60)


def test_work_that_never_ends_is_left_behind_and_the_next_is_done():
    never = threading.Event()
    for _ in range(3):
        with pytest.raises(Rejected) as raised:
            timed(never.wait, seconds=0.01)
        assert (raised.value.reason, raised.value.detail) == ("timed_out", "not done after 0.01 s")
        assert timed(lambda: "next", seconds=60) == "next"
    never.set()


@pytest.fixture
def interruptible():
    """Ctrl-C raises, as at a terminal; what runs in the background of a shell starts with it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_an_answer_that_nobody_waited_for_is_given_to_nobody():
    begun, go_on = threading.Event(), threading.Event()

    def late() -> str:
        begun.set()
        go_on.wait()
        return "late"

    def interrupt() -> None:
        begun.wait()
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    threading.Thread(target=interrupt).start()
    with pytest.raises(KeyboardInterrupt):
        timed(late, seconds=60)
    go_on.set()
    assert timed(lambda: "next", seconds=60) == "next"


def test_the_work_sees_the_context_of_who_asks():
    asked = contextvars.ContextVar("asked", default="nobody")
    asked.set("somebody")
    assert timed(asked.get, seconds=60) == "somebody"


def test_one_thread_serves_and_ends_with_the_one_it_served():
    served_by = []
    owner = threading.Thread(
        target=lambda: served_by.extend(timed(threading.current_thread, seconds=60) for _ in range(5))
    )
    owner.start()
    owner.join()
    assert len(set(served_by)) == 1
    served_by[0].join(60)
    assert not served_by[0].is_alive()


def test_a_process_ends_though_some_work_does_not():
    program = """
import threading
from pipelines.limits import timed
from pipelines.outcomes import Rejected
try:
    timed(threading.Event().wait, seconds=0.01)
except Rejected:
    print("left behind")
"""
    started = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=True)
    assert started.stdout == "left behind\n"
