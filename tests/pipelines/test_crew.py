import threading

import cv2
import pytest

from pipelines.crew import Crew, Gate


def run(crew: Crew, pieces: list) -> list:
    done = [result for piece in pieces for result in crew.add(piece, lambda: "too large")]
    done += crew.rest()
    crew.close()
    return done


def test_every_piece_is_done_once():
    pieces = [lambda number=number: number for number in range(100)]
    assert sorted(run(Crew(3, Gate(3)), pieces)) == list(range(100))


def test_pieces_are_done_side_by_side():
    meeting = threading.Barrier(3, timeout=60)
    assert sorted(run(Crew(3, Gate(3)), [meeting.wait] * 3)) == [0, 1, 2]


def test_what_is_asked_for_is_only_a_little_ahead():
    held, begun = threading.Event(), []

    def piece(number: int) -> int:
        begun.append(number)
        held.wait(60)
        return number

    crew: Crew[int] = Crew(2, Gate(2))
    for number in range(3):
        assert list(crew.add(lambda number=number: piece(number), int)) == []
    assert len(begun) <= 2
    held.set()
    assert sorted(crew.rest()) == [0, 1, 2]
    crew.close()


def test_an_error_reaches_the_one_who_asks():
    with pytest.raises(ZeroDivisionError):
        run(Crew(2, Gate(2)), [lambda: 1 // 0])


def test_a_piece_without_memory_is_done_again_alone_and_fewer_go_on():
    gate = Gate(4)
    running: set[int] = set()
    alone: list[int] = []
    failed = threading.Event()
    lock = threading.Lock()

    def piece(number: int) -> int:
        with lock:
            running.add(number)
        try:
            if number == 5:
                if not failed.is_set():
                    failed.set()
                    raise MemoryError
                alone.extend(running)
            return number
        finally:
            with lock:
                running.remove(number)

    pieces = [lambda number=number: piece(number) for number in range(40)]
    assert sorted(run(Crew(4, gate), pieces)) == list(range(40))
    assert alone == [5]
    assert gate.limit == 2


@pytest.mark.parametrize("error", [MemoryError(), cv2.error("no"), type("ResourceExhaustedError", (Exception,), {})()])
def test_a_piece_that_never_has_memory_is_given_up_and_the_others_are_done(error):
    if isinstance(error, cv2.error):
        error.code = cv2.Error.StsNoMem

    def culprit() -> str:
        raise error

    gate = Gate(2)
    found = run(Crew(2, gate), [str, culprit, str, str])
    assert sorted(found) == ["", "", "", "too large"]
    assert gate.limit == 1


def test_any_other_error_of_opencv_is_not_about_memory():
    def broken() -> None:
        raise cv2.error("bad argument")

    with pytest.raises(cv2.error):
        run(Crew(1, Gate(1)), [broken])
