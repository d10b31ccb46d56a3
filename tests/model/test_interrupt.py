import subprocess
import sys
from types import SimpleNamespace

from model import interrupt

ITSELF = "import os, signal, sys, threading, time; from model import interrupt\n"
CTRL_C = "os.kill(os.getpid(), signal.SIGINT); time.sleep(60)"
LINE = "autochrome: interrupted\n"


def ended(code: str) -> tuple[int, str, str]:
    run = subprocess.run([sys.executable, "-c", ITSELF + code], capture_output=True, text=True, check=False, timeout=60)
    return run.returncode, run.stdout, run.stderr


def test_ctrl_c_during_imports_ends_at_once_although_exceptions_are_swallowed():
    code = f"with interrupt.at_once():\n  try: {CTRL_C}\n  except BaseException: pass\nprint('went on')"
    assert ended(code) == (130, "", LINE)


def test_after_the_block_ctrl_c_is_an_exception_again():
    code = f"with interrupt.at_once(): pass\ntry: {CTRL_C}\nexcept KeyboardInterrupt: print('caught')"
    assert ended(code) == (0, "caught\n", "")


def test_nothing_changes_under_nohup_and_in_other_threads():
    nohup = (
        "signal.signal(signal.SIGINT, signal.SIG_IGN)\nwith interrupt.at_once(): os.kill(os.getpid(), signal.SIGINT)\n"
    )
    thread = "threading.Thread(target=lambda: interrupt.at_once().__enter__()).start()\n"
    for code in (nohup, thread):
        assert ended(f"{code}print('went on')") == (0, "went on\n", "")


def test_the_end_does_not_wait_for_threads_nor_for_a_second_ctrl_c():
    thread = "threading.Thread(target=time.sleep, args=(600,)).start(); print('said before')\n"
    assert ended(f"{thread}interrupt.leave(); print('went on')") == (130, "said before\n", LINE)
    assert ended(f"interrupt.impatient()\ntry: {CTRL_C}\nexcept BaseException: print('went on')") == (130, "", "")


def test_without_threads_the_caller_ends(capsys, monkeypatch):
    monkeypatch.setattr(interrupt, "impatient", lambda: None)
    monkeypatch.setattr(interrupt, "threading", SimpleNamespace(active_count=lambda: 1))
    assert interrupt.leave() == interrupt.EXIT_CODE == 130
    assert capsys.readouterr().err == "autochrome: interrupted\n"


def test_the_line_may_go_elsewhere():
    assert ended("interrupt.speak_on(1); sys.exit(interrupt.leave())") == (130, LINE, "")
