import io
import tarfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipelines import plan
from pipelines.archive.manifest import Output, Record
from pipelines.files.sources import find
from pipelines.plan import Collection, Trial, mean, rows, share, survey
from tfrecords.errors import UserError


def test_a_collection_is_counted_and_sampled_by_name(photo_tree):
    everything = list(find(str(photo_tree)))
    found = survey(str(photo_tree), 5)
    assert (found.photos, found.bytes) == (17, sum(source.size for source in everything))
    assert len({source.name for source in found.sample}) == 5
    larger = survey(str(photo_tree), 9)
    assert {source.name for source in found.sample} < {source.name for source in larger.sample}
    assert len(survey(str(photo_tree), 100).sample) == 17


def test_tars_count_as_what_is_in_them(tmp_path, encoded, grey_photos):
    data = encoded(grey_photos["coins"], "PNG")
    inner = io.BytesIO()
    with tarfile.open(fileobj=inner, mode="w") as tar:
        add(tar, "b.png", data)
    with tarfile.open(tmp_path / "box.tar", "w") as tar:
        add(tar, "a.png", data)
        add(tar, "inner.tar", inner.getvalue())
    (tmp_path / "c.png").write_bytes(data)
    found = survey(str(tmp_path), 9)
    assert (found.photos, found.bytes) == (3, 3 * len(data))
    assert {source.name for source in found.sample} == {"box/a.png", "box/inner/b.png", "c.png"}
    assert all(source.read() == data for source in found.sample)
    for exclude, left in ((["inner"], 2), (["c.*", "box/a.png"], 1), (["box.tar"], 1), (["*.png"], 0)):
        assert survey(str(tmp_path), 9, exclude=exclude).photos == left


def test_a_photo_counts_once_however_often_a_list_names_it(tmp_path):
    for number in range(30):
        (tmp_path / f"{number:02d}.jpg").write_bytes(bytes(number))
    names = [f"{number:02d}.jpg" for number in (*range(30), *range(30), *range(5))]
    (tmp_path / "photos.txt").write_text("\n".join(names))
    found = survey(str(tmp_path / "photos.txt"), 9)
    once = survey(str(tmp_path / "*.jpg"), 9)
    assert (found.photos, found.bytes) == (once.photos, once.bytes) == (30, sum(range(30)))
    assert [source.name for source in found.sample] == [source.name for source in once.sample]


def test_what_is_excluded_is_not_measured(photo_tree, saved_model_dir, capsys):
    flags = [f"--input={photo_tree}", f"--model={saved_model_dir}", "--sample=1"]
    name = survey(str(photo_tree), 1).sample[0].name
    assert plan.main([*flags, f"--exclude={name}"]) == 0
    assert "measuring 1 of 16 photos" in capsys.readouterr().err


def add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(data)
    tar.addfile(member, io.BytesIO(data))


def test_a_mean_lies_in_its_range():
    draw = np.random.default_rng(0)
    hits = 0
    for _ in range(200):
        figure = mean(list(draw.normal(10, 3, 40)))
        hits += figure.low <= 10 <= figure.high
    assert hits > 180
    assert mean([4.0]) == plan.Figure(value=4, low=0, high=8)


@pytest.mark.parametrize(
    ("hits", "of", "low", "high"),
    # Newcombe, Two-sided confidence intervals for the single proportion, 1998, table I, method 3.
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_a_share_has_the_interval_of_the_textbook(hits, of, low, high):
    figure = share(hits, of)
    assert figure.value == hits / of
    assert figure.low == pytest.approx(low, abs=5e-5)
    assert figure.high == pytest.approx(high, abs=5e-5)


def test_figures_are_scaled_to_the_whole():
    output = Output(
        name="a.jpg", page=1, width=2000, height=1000, bytes=500_000, sha256="", tone="color", colourfulness=30.0
    )
    record = Record(
        name="a.jpg",
        uri="",
        offset=None,
        fingerprint="",
        status="written",
        outputs=(output,),
        milliseconds={"merge": 900.0, "encode": 100.0},
    )
    broken = replace(record, status="rejected", reason="unreadable", outputs=(), milliseconds={"decode": 1000.0})
    trial = Trial(records=[record] * 3 + [broken], wall=2.0, processor=3.6)
    said = dict(rows(Collection(photos=4_000, bytes=8_000_000_000, sample=[]), trial, 2, price=0.5))
    assert said["photos"] == "4,000, 8 GB"
    assert said["megapixels"].startswith("about 6,000 (")
    assert said["time on this machine"] == "about 33 min, at 2.0/s on 2 cores"
    assert said["work on Dataflow"] == "about 60 min of one vCPU, shared among the workers"
    assert said["cost of that work"] == "about 50 cents, at $0.5 a vCPU-hour"
    assert said["space for the results"].startswith("about 1.5 GB (")
    # Wilson's interval for 1 and 3 of 4, of 4,000 photos.
    assert said["rejected"] == said["  unreadable"] == "about 1,000 (182 to 2,797)"
    assert said["in colour already"] == "about 3,000 (1,203 to 3,818)"


@pytest.mark.parametrize(
    ("dollars", "said"),
    [
        (0, "0 cents"),
        (0.004, "under 1 cent"),
        (0.01, "1 cent"),
        (0.994, "99 cents"),
        (12.3, "$12.30"),
        (12_345, "$12,345"),
    ],
)
def test_money_is_in_cents_or_dollars(dollars, said):
    assert plan._money(dollars) == said


def test_a_bound_is_not_about_a_bound():
    record = Record(name="a.jpg", uri="", offset=None, fingerprint="", status="written", milliseconds={"merge": 1.0})
    trial = Trial(records=[record], wall=0.1, processor=0.1)
    said = dict(rows(Collection(photos=1, bytes=8_000, sample=[]), trial, 2, price=0.06))
    assert said["cost of that work"].startswith("under 1 cent")


def test_a_sample_of_all_photos_is_no_estimate():
    record = Record(name="a.jpg", uri="", offset=None, fingerprint="", status="written", milliseconds={"merge": 900.0})
    broken = replace(record, status="rejected", reason="unreadable")
    trial = Trial(records=[record, broken], wall=2.0, processor=3.6)
    said = dict(rows(Collection(photos=2, bytes=8_000, sample=[]), trial, 2, price=0))
    assert [said[what] for what in ("rejected", "  unreadable", "in colour already")] == ["1", "1", "0"]
    assert said["time on this machine"] == "about 2 s, at 1.0/s on 2 cores"


def test_the_command_measures_and_writes_nothing(photo_tree, saved_model_dir, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert plan.main([f"--input={photo_tree}", f"--model={saved_model_dir}", "--sample=17"]) == 0
    said, told = capsys.readouterr()
    assert told == "autochrome: measuring 17 of 17 photos\n"
    assert "photos                    17, " in said
    assert "  unreadable              3\n" in said
    assert "vCPU-hour" not in said
    assert list(Path(tmp_path).iterdir()) == []


def test_wrong_flags_end_in_a_line(photo_tree, saved_model_dir):
    with pytest.raises(UserError, match="must be 0 or more, not -1"):
        plan.main([f"--input={photo_tree}", f"--model={saved_model_dir}", "--price_per_vcpu_hour=-1"])
    with pytest.raises(UserError, match="does not exist"):
        plan.main(["--input=/no/where", f"--model={saved_model_dir}"])
