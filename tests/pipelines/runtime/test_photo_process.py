import contextlib
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import hostile
import misbehaviour
import pytest

from pipelines.errors import PhotoProcessError, Rejected, Undecided
from pipelines.images.limits import Limits
from pipelines.runtime import shared_memory
from pipelines.runtime.photo_process import PhotoProcesses


@pytest.fixture
def processes():
    found = PhotoProcesses(misbehaviour.echo)
    yield found
    found.close()


@pytest.fixture
def limits(monkeypatch):
    """Sets limits that a test has the time for."""

    def set_limits(memory: int = 300_000_000, processor: int = 60, wall: int = 60) -> None:
        monkeypatch.setattr(Limits, "of", lambda size, **_: Limits(memory=memory, processor=processor, wall=wall))

    return set_limits


def is_alive(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    return False


def test_one_process_handles_photo_after_photo(processes):
    answers = [processes.call(bytes([number]) * 1_000_000, number, "x") for number in range(3)]
    assert [(data, arguments) for _, data, arguments in answers] == [
        (bytes([number]) * 1_000_000, (number, "x")) for number in range(3)
    ]
    assert len({pid for pid, _, _ in answers}) == 1
    assert answers[0][0] != os.getpid()


def test_photos_and_results_that_the_shared_memory_cannot_hold_arrive(processes):
    small, large = b"s" * 100_000, b"l" * (shared_memory.SIZE + 1)
    for files in ([large], [small, large], [small] * 8, [b"", large]):
        assert [data for _, data, _ in processes.call_together([(file, ()) for file in files])] == files
    assert processes.call(large)[1] == large


def test_without_shared_memory_all_goes_through_the_socket(monkeypatch):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (shared_memory.SIZE - 1, hard))
    try:
        processes = PhotoProcesses(misbehaviour.echo, started=1)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    monkeypatch.delattr(os, "memfd_create")
    assert shared_memory.created() == shared_memory.NONE
    for files in ([b"a", b""], [b"b" * 100_000] * 8):
        assert [data for _, data, _ in processes.call_together([(file, ()) for file in files])] == files


def test_a_child_cannot_take_the_shared_memory_away(processes):
    with pytest.raises(PhotoProcessError, match="Operation not permitted"):
        processes.call(b"#shorten")
    assert processes.call(b"next")[1] == b"next"


def test_questions_are_answered_and_files_arrive_in_order():
    processes = PhotoProcesses(misbehaviour.conversation)
    files: list[bytes] = []
    data = bytes([3, 0, 200, 7])
    assert processes.call(data, answer=lambda byte: byte // 2, give=files.append) == 4
    assert files == [bytes([byte // 2]) * byte for byte in data]


def test_photos_that_are_handled_together_have_each_its_own_file(processes):
    photos = [(bytes([number]) * number, (number,)) for number in range(5)]
    answers = processes.call_together(photos)
    assert [(data, arguments) for _, data, arguments in answers] == photos


def test_photos_are_not_handled_together_when_one_of_them_misbehaves(processes, limits):
    limits(processor=1)
    for word in (b"#die 11", b"#bug", b"#fill", b"#spin", b"#exit 0"):
        assert processes.call_together([(b"a", ()), (word, ()), (b"b", ())]) is None, word
    assert processes.call(b"a")[1] == b"a"


def test_limits_are_those_of_each_photo_also_when_several_are_handled_together(limits):
    limits(memory=150_000_000)
    processes = PhotoProcesses(misbehaviour.without_memory)
    assert processes.call_together([(b"", (100_000_000,)), (b"", (100_000_000,))]) == (None, None)
    assert processes.call_together([(b"", (100_000_000,)), (b"", (200_000_000,))]) is None


def test_a_child_imports_neither_beam_nor_tensorflow_nor_google(processes):
    loaded = PhotoProcesses(hostile.modules).call(b"")
    assert "pipelines.images.decode" in loaded
    heavy = ("apache_beam", "tensorflow", "keras", "rich", "google.protobuf", "google.cloud.storage", "google.auth")
    assert [name for name in loaded if name.startswith(heavy)] == []


def test_a_child_is_killed_first_hears_no_ctrl_c_reads_nothing_and_has_one_thread():
    found = PhotoProcesses(misbehaviour.attributes).call(b"")
    assert found["oom_score_adj"] == 1000
    assert found["blocked"] >= {signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT}
    assert found["threads"] == 1
    assert found["stdin"] == b""


def test_a_photo_whose_process_dies_is_undecided_and_the_next_one_is_handled(processes):
    for name in ("SIGSEGV", "SIGABRT", "SIGBUS", "SIGILL", "SIGFPE"):
        with pytest.raises(Undecided) as raised:
            processes.call(b"#die %d" % getattr(signal, name))
        assert (raised.value.reason, raised.value.detail) == ("crashed", f"its process died of {name}")
    assert processes.call(b"next")[1] == b"next"


def test_a_decoder_that_ends_the_process_is_taken_for_a_crash(processes):
    with pytest.raises(Undecided, match="exit code 3"):
        processes.call(b"#exit 3")


def test_a_process_that_is_killed_counts_as_out_of_memory(processes):
    with pytest.raises(Undecided) as raised:
        processes.call(b"#die %d" % signal.SIGKILL)
    assert raised.value.reason == "out_of_memory"


def test_a_decoder_that_spins_is_rejected_for_its_processor_time(processes, limits):
    limits(processor=1)
    with pytest.raises(Rejected) as raised:
        processes.call(b"#spin")
    assert (raised.value.reason, raised.value.detail) == ("timed_out", "it took more than 1 s of processor time")
    assert processes.call(b"next")[1] == b"next"


def test_a_decoder_that_hangs_is_undecided(processes, limits):
    limits(wall=1)
    with pytest.raises(Undecided) as raised:
        processes.call(b"#sleep")
    assert (raised.value.reason, raised.value.detail) == ("timed_out", "it took more than 1 s")


def test_time_is_counted_for_each_photo_and_not_while_the_parent_thinks(limits):
    limits(wall=2)
    processes = PhotoProcesses(misbehaviour.conversation)

    def slowly(byte: int) -> int:
        time.sleep(1.1)
        return byte

    for _ in range(2):
        assert processes.call(bytes([1, 2]), answer=slowly) == 2


def test_a_decoder_that_fills_the_memory_is_too_large(processes, limits):
    limits()
    with pytest.raises(Rejected) as raised:
        processes.call(b"#fill")
    assert (raised.value.reason, raised.value.detail) == ("too_large", "it needs more than 0.3 GB of memory")
    # What earlier photos left behind must not decide.
    processes.call(b"first")
    with pytest.raises(Undecided) as undecided:
        processes.call(b"#fill")
    assert undecided.value.reason == "too_large"


def test_a_lack_of_memory_is_seen_behind_the_error_that_hides_it(limits):
    limits()
    processes = PhotoProcesses(misbehaviour.without_memory)
    processes.call(b"", 1000)
    with pytest.raises(Undecided, match="too_large"):
        processes.call(b"", 400_000_000)


def test_memory_that_the_machine_lacks_is_not_held_against_the_photo(limits):
    limits(memory=1 << 60)
    with pytest.raises(Undecided, match="it needs more memory than this machine has"):
        PhotoProcesses(misbehaviour.without_memory).call(b"", 1 << 50)


def test_a_fault_of_the_handler_ends_the_job_in_one_line(processes):
    with pytest.raises(PhotoProcessError, match=r"ZeroDivisionError: a bug$") as raised:
        processes.call(b"#bug")
    assert "misbehaviour.py" in raised.value.__notes__[0]


def test_a_parent_that_cannot_answer_gives_up_the_process():
    processes = PhotoProcesses(misbehaviour.conversation)

    def fail(byte: int) -> int:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        processes.call(b"abc", answer=fail)
    assert processes.call(b"abc", answer=lambda byte: byte) == 3


def test_alone_is_in_a_fresh_process(processes):
    before = processes.call(b"")[0]
    assert processes.call(b"", alone=True)[0] != before
    assert not is_alive(before)


def test_a_process_that_is_killed_between_photos_is_replaced(processes):
    pid = processes.call(b"")[0]
    os.kill(pid, signal.SIGKILL)
    with contextlib.suppress(Undecided):  # if the pipe took the photo before the kernel closed it
        processes.call(b"")
    assert processes.call(b"")[0] != pid


def test_threads_have_a_process_each():
    processes = PhotoProcesses(misbehaviour.conversation)
    meeting = threading.Barrier(3, timeout=60)

    def meet(byte: int) -> int:
        meeting.wait()
        return byte

    threads = [threading.Thread(target=processes.call, args=(b"a",), kwargs={"answer": meet}) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert meeting.n_waiting == 0
    assert len(processes._idle) == 3


def test_no_more_processes_work_at_a_time_than_are_allowed():
    processes = PhotoProcesses(misbehaviour.conversation, most=1)
    at_work: list[int] = []
    most = []

    def work(byte: int) -> int:
        at_work.append(byte)
        most.append(len(at_work))
        time.sleep(0.001)
        at_work.pop()
        return byte

    def call() -> None:
        for _ in range(10):
            processes.call(b"ab", answer=work)

    threads = [threading.Thread(target=call) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert most == [1] * 60
    assert len(processes._idle) == 1
    with pytest.raises(PhotoProcessError):
        processes.call(b"", "no such argument")
    assert processes.call(b"a", answer=work) == 1


@pytest.mark.parametrize("word", ["next", "#spin", "#sleep"])
def test_no_child_is_left_when_the_parent_is_killed(word):
    program = f"""
import misbehaviour
from pipelines.runtime.photo_process import PhotoProcesses
from tfrecords.errors import OutageError
processes = PhotoProcesses(misbehaviour.echo)
print(processes.call(b"")[0], flush=True)
processes.call(b"{word}")
import time
time.sleep(3600)
"""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, env=env)
    pid = int(parent.stdout.readline())
    assert is_alive(pid)
    parent.kill()
    parent.wait()
    deadline = time.monotonic() + 60
    while is_alive(pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not is_alive(pid)


def test_children_end_with_their_pool():
    processes = PhotoProcesses(misbehaviour.echo, started=2)
    pid = processes.call(b"")[0]
    others = [process._process.pid for process in processes._idle]
    assert len(others) == 2
    del processes
    assert not any(map(is_alive, [pid, *others]))
