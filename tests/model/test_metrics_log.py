import json

from model import metrics_log
from model.metrics_log import Metrics, read_metrics


def test_a_log_goes_on_without_what_will_be_measured_again(tmp_path):
    log = Metrics(str(tmp_path), 0)
    assert log.last == {}
    for step in (1, 2, 3):
        log.add({"step": step, "loss": 0.5})
    with (tmp_path / "metrics.jsonl").open("a") as file:
        file.write('{"step": 4, "lo')  # killed
    assert [line["step"] for line in read_metrics(str(tmp_path))] == [1, 2, 3]
    assert Metrics(str(tmp_path), 2).last == {"step": 2, "loss": 0.5}
    written = (tmp_path / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in written] == [1, 2]
    assert [path.name for path in tmp_path.iterdir()] == [metrics_log.METRICS_FILE]


def test_figures_of_one_step_are_one_line(tmp_path):
    log = Metrics(str(tmp_path), 0)
    log.add({"step": 1, "loss": 0.5})
    log.add({"step": 2, "loss": 0.25, "seconds": 3})
    log.add({"step": 2, "validation_loss": 0.4, "seconds": 4})
    expected = [{"step": 1, "loss": 0.5}, {"step": 2, "loss": 0.25, "seconds": 4, "validation_loss": 0.4}]
    assert read_metrics(str(tmp_path)) == expected
    assert log.last == expected[-1]


def test_damaged_lines_are_left_out(tmp_path):
    path = tmp_path / "metrics.jsonl"
    path.write_bytes(
        b'{"step": 1, "loss": 0.5}\n{"step": 2, "lo\n\x00\xff}\n[3]\n{"loss": 1}\n{"step": 4, "loss": 0.25}\n'
    )
    assert Metrics(str(tmp_path), 9).last == {"step": 4, "loss": 0.25}
    assert [line["step"] for line in read_metrics(str(tmp_path))] == [1, 4]
