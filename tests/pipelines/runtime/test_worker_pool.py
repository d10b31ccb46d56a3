import threading
from functools import partial

import cv2
import pytest

from pipelines.errors import Undecided
from pipelines.runtime.worker_pool import Gate, WorkerPool, unless_out_of_memory


def too_large() -> str:
    return "too large"


def run(pool: WorkerPool, pieces: list) -> list:
    done = [result for piece in pieces for result in pool.add(piece, too_large)]
    done += pool.rest()
    pool.close()
    return done


def test_every_piece_is_done_once():
    pieces = [lambda number=number: number for number in range(100)]
    assert sorted(run(WorkerPool(3, Gate(3)), pieces)) == list(range(100))


def test_pieces_are_done_side_by_side():
    meeting = threading.Barrier(3, timeout=60)
    assert sorted(run(WorkerPool(3, Gate(3)), [meeting.wait] * 3)) == [0, 1, 2]


def test_what_is_asked_for_is_only_a_little_ahead():
    held, begun = threading.Event(), []

    def piece(number: int) -> int:
        begun.append(number)
        held.wait(60)
        return number

    pool: WorkerPool[int] = WorkerPool(2, Gate(2))
    for number in range(3):
        assert list(pool.add(lambda number=number: piece(number), int)) == []
    assert len(begun) <= 2
    held.set()
    assert sorted(pool.rest()) == [0, 1, 2]
    pool.close()


def test_an_error_reaches_the_one_who_asks():
    with pytest.raises(ZeroDivisionError):
        run(WorkerPool(2, Gate(2)), [lambda: 1 // 0])


def shortage() -> Exception:
    error = cv2.error("no")
    error.code = cv2.Error.StsNoMem
    return error


NO_MEMORY = [
    MemoryError(),
    shortage(),
    type("ResourceExhaustedError", (Exception,), {})(),
    Undecided("out_of_memory", "killed"),
]


@pytest.mark.parametrize("error", [*NO_MEMORY, Undecided("crashed", "SIGSEGV")])
def test_a_piece_that_is_undecided_is_done_again_last_and_alone(error):
    gate = Gate(4)
    running: set[int] = set()
    finished: list[int] = []
    alone: list[int] = []
    lock = threading.Lock()

    def piece(number: int) -> int:
        with lock:
            running.add(number)
        try:
            if number == 5:
                raise error
            return number
        finally:
            with lock:
                running.remove(number)
                finished.append(number)

    def last() -> int:
        alone.extend([*running, len(finished)])
        return 5

    pool: WorkerPool[int] = WorkerPool(4, gate)
    found = [result for number in range(40) for result in pool.add(partial(piece, number), last)]
    found += pool.rest()
    pool.close()
    assert sorted(found) == list(range(40))
    assert alone == [40]
    assert gate.limit == (2 if error in NO_MEMORY else 4)


def test_a_pool_waits_for_the_other_pools_of_its_gate_before_a_last_piece():
    gate = Gate(2)
    held = threading.Event()
    order: list[str] = []

    def other() -> str:
        held.wait(60)
        order.append("other")
        return ""

    def undecided() -> str:
        raise Undecided("crashed", "SIGSEGV")

    def last() -> str:
        order.append("last")
        return ""

    first, second = WorkerPool[str](1, gate), WorkerPool[str](1, gate)
    list(first.add(other, str))
    list(second.add(undecided, last))
    waiting = threading.Thread(target=lambda: list(second.rest()))
    waiting.start()
    held.set()
    list(first.rest())
    waiting.join(60)
    assert order == ["other", "last"]


def test_what_runs_out_of_memory_can_have_another_result():
    def fail() -> str:
        raise MemoryError

    assert unless_out_of_memory(fail, "nothing") == "nothing"
    assert unless_out_of_memory(lambda: "something", "nothing") == "something"
    with pytest.raises(ZeroDivisionError):
        unless_out_of_memory(lambda: str(1 // 0), "nothing")


def test_any_other_error_of_opencv_is_not_about_memory():
    def broken() -> None:
        raise cv2.error("bad argument")

    with pytest.raises(cv2.error):
        run(WorkerPool(1, Gate(1)), [broken])


def test_nothing_is_started_after_a_failure():
    started: list[int] = []

    def work(number: int) -> int:
        started.append(number)
        raise ValueError("the disk is full")

    pool = WorkerPool[int](1, Gate(1))
    with pytest.raises(ValueError, match="the disk is full"):
        run(pool, [partial(work, number) for number in range(3)])
    pool.close()
    assert started == [0]
