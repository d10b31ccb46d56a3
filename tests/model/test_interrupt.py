import subprocess
import sys

import pytest

from model import interrupt

ITSELF = "import os, signal, sys, threading, time; from model import interrupt\n"
CTRL_C = "os.kill(os.getpid(), signal.SIGINT); time.sleep(60)\n"


def ended(code: str) -> tuple[int, str, str]:
    run = subprocess.run([sys.executable, "-c", ITSELF + code], capture_output=True, text=True, check=False, timeout=60)
    return run.returncode, run.stdout, run.stderr


def test_ctrl_c_during_imports_ends_at_once_although_exceptions_are_swallowed():
    code = f"with interrupt.at_once():\n  try: {CTRL_C.strip()}\n  except BaseException: pass\nprint('went on')"
    assert ended(code) == (130, "", "autochrome: interrupted\n")


def test_after_the_block_ctrl_c_is_an_exception_again():
    code = f"with interrupt.at_once(): pass\ntry: {CTRL_C.strip()}\nexcept KeyboardInterrupt: print('caught')"
    assert ended(code) == (0, "caught\n", "")


def test_a_command_under_nohup_hears_no_ctrl_c():
    code = (
        "signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        "with interrupt.at_once(): os.kill(os.getpid(), signal.SIGINT)\nprint('went on')"
    )
    assert ended(code) == (0, "went on\n", "")


def test_in_another_thread_nothing_changes():
    code = "threading.Thread(target=lambda: interrupt.at_once().__enter__()).start(); print('went on')"
    assert ended(code) == (0, "went on\n", "")


def test_the_end_does_not_wait_for_threads():
    code = (
        "threading.Thread(target=time.sleep, args=(600,)).start()\n"
        "print('said before'); interrupt.leave(); print('went on')"
    )
    assert ended(code) == (130, "said before\n", "autochrome: interrupted\n")


def test_a_second_ctrl_c_does_not_wait_either():
    code = f"interrupt.impatient()\ntry: {CTRL_C.strip()}\nexcept BaseException: pass\nprint('went on')"
    assert ended(code) == (130, "", "")


def test_without_threads_the_caller_ends(capsys, monkeypatch):
    monkeypatch.setattr(interrupt, "impatient", lambda: None)
    monkeypatch.setattr(interrupt.threading, "active_count", lambda: 1)
    assert interrupt.leave() == interrupt.EXIT_CODE == 130
    assert capsys.readouterr().err == "autochrome: interrupted\n"


@pytest.mark.parametrize("descriptor", [1])
def test_the_line_may_go_elsewhere(descriptor):
    code = f"interrupt.speak_on({descriptor}); sys.exit(interrupt.leave())"
    assert ended(code) == (130, "autochrome: interrupted\n", "")
