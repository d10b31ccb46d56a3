import json

import apache_beam as beam

from pipelines.audit.write_lines import Line, WriteLines


def test_lines_are_sorted_and_counted(tmp_path):
    names = [f"box {number}/a.jpg" for number in range(20)] + ["caf\udce9.jpg"]
    lines = [
        Line(name=name, key="marked" if index % 3 else "unmarked", json=json.dumps(name))
        for index, name in enumerate(names)
    ]
    made = []
    for folder, order in (("one", lines), ("other", lines[::-1])):
        with beam.Pipeline(runner="FnApiRunner") as pipeline:
            _ = pipeline | beam.Create(order) | WriteLines(str(tmp_path / folder), "found")
        made.append({path.name: path.read_bytes() for path in (tmp_path / folder).iterdir()})
    assert made[0] == made[1]
    assert set(made[0]) == {"found.json", "found-00000-of-00001.jsonl"}
    assert json.loads(made[0]["found.json"])["counts"] == {"marked": 14, "unmarked": 7}
    assert [json.loads(line) for line in made[0]["found-00000-of-00001.jsonl"].splitlines()] == sorted(
        names, key=json.dumps
    )


def test_shards_of_an_earlier_job_are_removed(tmp_path):
    for name in ("found-00000-of-00002.jsonl", "found-00001-of-00002.jsonl", "found-mine.jsonl", "checks.json"):
        (tmp_path / name).write_text("{}\n")
    with beam.Pipeline(runner="FnApiRunner") as pipeline:
        _ = pipeline | beam.Create([Line(name="a", key="marked", json="{}")]) | WriteLines(str(tmp_path), "found")
    assert {path.name for path in tmp_path.iterdir()} == {
        *("found.json", "found-00000-of-00001.jsonl"),
        *("found-mine.jsonl", "checks.json"),
    }
