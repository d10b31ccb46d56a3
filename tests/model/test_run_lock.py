import signal
import subprocess
import sys

import pytest
from training_run import CONFIG

from model import run_lock, strategy, trainer
from tfrecords.errors import UserError


def test_a_second_run_into_a_folder_is_refused_until_the_first_ends(data_dir, tmp_path):
    output = str(tmp_path / "run")
    with run_lock.held(output), pytest.raises(UserError, match=r"another training run writes to .*run now; wait until"):
        trainer.train(CONFIG, data_dir, output, strategy.make("one"))
    assert not (tmp_path / "run").exists()
    assert trainer.train(CONFIG, data_dir, output, strategy.make("one")).step == 9


def test_a_lock_ends_with_its_process(tmp_path):
    code = "import sys\nfrom model import run_lock\nwith run_lock.held(sys.argv[1]):\n print(flush=True)\n input()"
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout
        process.stdout.readline()
        with pytest.raises(UserError, match="another training run"), run_lock.held(str(tmp_path)):
            pass
        process.send_signal(signal.SIGKILL)
    with run_lock.held(str(tmp_path)), run_lock.held(str(tmp_path), chief=False):
        pass
