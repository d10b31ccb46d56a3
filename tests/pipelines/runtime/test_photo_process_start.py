"""How the process for photos starts, and that it is started again."""

import resource
import threading

import misbehaviour
import pytest

from pipelines import notices
from pipelines.errors import PhotoProcessError
from pipelines.files import patience
from pipelines.runtime import local_threads, photo_process
from pipelines.runtime.photo_child import PhotoProcess
from pipelines.runtime.photo_process import PhotoProcesses
from tfrecords.errors import OutageError


@pytest.fixture
def processes():
    found = PhotoProcesses(misbehaviour.echo)
    yield found
    found.close()


def test_a_handler_that_cannot_be_imported_ends_the_job(monkeypatch):
    gone = type(misbehaviour.echo)(misbehaviour.echo.__code__, {})
    gone.__module__ = "no_such_module"
    with pytest.raises(PhotoProcessError, match="ended at its start with exit code 1"):
        PhotoProcesses(gone).call(b"")


def test_processes_that_were_started_early_are_used_and_a_pool_that_has_ended_starts_none(started):
    photo_process.start_early("misbehaviour:echo", 1)
    processes = PhotoProcesses(misbehaviour.echo)
    processes.call(b"x")
    assert list(processes._idle) == started
    processes.end()
    with pytest.raises(PhotoProcessError, match="the job has ended"):
        processes.call(b"x")


@pytest.fixture
def started(monkeypatch) -> list[PhotoProcess]:
    """Those that are started, in order."""
    made: list[PhotoProcess] = []

    def start(handler: str) -> PhotoProcess:
        made.append(PhotoProcess(handler))
        return made[-1]

    monkeypatch.setattr(photo_process, "PhotoProcess", start)
    monkeypatch.setattr(photo_process, "_early", {})
    return made


def test_one_core_is_left_to_the_process_that_starts_others(started, monkeypatch):
    """The others start one after the other, as soon as the one before is ready."""
    monkeypatch.setattr(local_threads, "cores", lambda: 3)
    held = threading.Event()
    look = PhotoProcess.look
    monkeypatch.setattr(PhotoProcess, "look", lambda process: held.wait() and look(process))
    photo_process.start_early("misbehaviour:echo", 4)
    assert len(started) == 2
    held.set()
    for thread in threading.enumerate():
        if thread.name == "early":
            thread.join()
    assert len(started) == 4
    processes = PhotoProcesses(misbehaviour.echo, started=4)
    assert list(processes._idle) == started
    processes.close()


def test_a_process_that_is_needed_before_its_turn_is_started_once(started, monkeypatch):
    monkeypatch.setattr(local_threads, "cores", lambda: 2)
    held = threading.Event()
    monkeypatch.setattr(PhotoProcess, "look", lambda process: held.wait())
    photo_process.start_early("misbehaviour:echo", 2)
    processes = PhotoProcesses(misbehaviour.echo, started=2)
    held.set()
    for thread in threading.enumerate():
        if thread.name == "early":
            thread.join()
    assert list(processes._idle) == started
    assert len(started) == 2
    processes.close()


def test_the_module_path_is_that_of_the_parent(monkeypatch, tmp_path):
    (tmp_path / "only_here.py").write_text("def handler(parent, data):\n    return 'found'\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    import only_here

    assert PhotoProcesses(only_here.handler).call(b"") == "found"


def test_what_a_module_loads_at_the_start_comes_before_the_limits_and_its_failure_ends_the_job(monkeypatch, tmp_path):
    (tmp_path / "loads.py").write_text(
        "loaded = []\ndef warm_up():\n    loaded.append(1)\ndef handler(parent, data):\n    return loaded\n"
    )
    (tmp_path / "fails.py").write_text("def warm_up():\n    1 / 0\ndef handler(parent, data):\n    return 1\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    import fails
    import loads

    assert PhotoProcesses(loads.handler).call(b"") == [1]
    with pytest.raises(PhotoProcessError, match="ended at its start with exit code 1"):
        PhotoProcesses(fails.handler).call(b"")


def test_what_takes_long_at_the_start_is_told_once(monkeypatch, tmp_path, capsys):
    log = "import logging\ndef warm_up():\n    logging.getLogger('tfrecords.compiled').info('compiling')\n"
    (tmp_path / "compiles.py").write_text(log + "def handler(parent, data):\n    return data\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    import compiles

    processes = PhotoProcesses(compiles.handler, started=2)
    with notices.on_terminal():
        assert processes.call(b"x") == b"x"
        assert processes.call(b"y", alone=True) == b"y"
    assert capsys.readouterr().err == "autochrome: compiling\n"


def test_what_lies_in_the_working_folder_is_not_imported(monkeypatch, tmp_path):
    (tmp_path / "numpy.py").write_text("raise SystemExit('shadowed')\n")
    monkeypatch.chdir(tmp_path)
    assert PhotoProcesses(misbehaviour.echo).call(b"x")[1] == b"x"


def test_starting_is_tried_again_when_a_child_is_killed_early(monkeypatch):
    started = []

    class Killed(photo_process.PhotoProcess):
        def __init__(self, handler):
            super().__init__(handler)
            started.append(self)
            if len(started) < 3:
                self._process.kill()

    monkeypatch.setattr(photo_process, "PhotoProcess", Killed)
    assert PhotoProcesses(misbehaviour.echo).call(b"x")[1] == b"x"
    assert len(started) == 3


def test_starting_is_tried_again_while_there_are_no_descriptors(processes):
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, limits[1]))
    threading.Timer(0.2, resource.setrlimit, (resource.RLIMIT_NOFILE, limits)).start()
    assert processes.call(b"photo")[1] == b"photo"


def test_a_machine_that_starts_no_process_is_not_held_against_the_photo(processes, monkeypatch):
    monkeypatch.setattr(patience, "LOCAL_SECONDS", 0.2)
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, limits[1]))
    try:
        with pytest.raises(
            OutageError, match=r"^the process for photos could not be started for .*: Too many open files;"
        ):
            processes.call(b"photo")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
