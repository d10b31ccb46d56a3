"""Hints, palettes, references and rules in a store guide photos as those on a disk do."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from servers import Store

from pipelines import cli
from pipelines.archive.ledger import Ledger
from pipelines.files import inputs
from pipelines.guidance import planning
from tfrecords.errors import UserError

POINT = b'[{"x": 0.5, "y": 0.5, "color": "#ff0000"}]'


@pytest.fixture
def guidance(tmp_path: Path, encoded) -> Path:
    root = tmp_path / "guidance"
    (root / "hints" / "box 1").mkdir(parents=True)
    (root / "hints" / "box 1" / "a ü.tif.p002.hints.json").write_bytes(POINT)
    (root / "hints" / "b.jpg.hints.json").write_bytes(POINT)
    (root / "warm.txt").write_text("#c86432")
    brick, grass, sky = [150, 70, 50], [70, 130, 60], [90, 140, 210]
    (root / "street.png").write_bytes(
        encoded(np.tile(np.array([[brick], [grass], [sky]], np.uint8), (4, 12, 1)), "PNG")
    )
    (root / "rules.toml").write_text('[[rule]]\nmatch = "box 1/**"\npalette = "warm.txt"\nreference = "street.png"\n')
    return root


def test_what_guides_a_run_may_lie_in_a_store_whose_requests_fail(usual: Store, guidance):
    usual.upload(guidance, "guidance")
    usual.put("scans/box 1/a ü.tif", b"a photo")
    usual.put("scans/b.jpg", b"a photo")
    places = {"hints": "hints", "rules": "rules.toml"}
    there = planning.planned(**{flag: usual.uri(f"guidance/{place}") for flag, place in places.items()})
    here = planning.planned(**{flag: str(guidance / place) for flag, place in places.items()})
    planning.check_photos(there, [usual.uri("scans")])
    for name in ("box 1/a ü.tif", "b.jpg"):
        assert there.of(name).told() == here.of(name).told()
        mine, its = here.of(name).hints, there.of(name).hints
        assert mine is not None
        assert its is not None
        assert its.read(inputs.read) == mine.read(inputs.read)
    with pytest.raises(UserError, match=r"palette .*none.gpl cannot be read"):
        planning.planned(palette=usual.uri("guidance/none.gpl"))


def test_a_job_with_hints_in_a_store_makes_the_files_of_a_disk(calm: Store, saved_model_dir, tmp_path, grey_photos):
    (tmp_path / "hints").mkdir()
    (tmp_path / "hints" / "a.png.hints.json").write_bytes(POINT)
    calm.upload(tmp_path / "hints", "hints")
    (tmp_path / "scans").mkdir()
    Image.fromarray(grey_photos["coins"][:60, :80]).save(tmp_path / "scans" / "a.png")
    calm.upload(tmp_path / "scans", "scans")
    common = ["colorize", f"--model={saved_model_dir}", "--direct_num_workers=1"]
    ends = {"here": (str(tmp_path), str(tmp_path / "colour")), "there": (calm.uri(""), calm.uri("colour"))}
    for root, output in ends.values():
        flags = [f"--input={root.rstrip('/')}/scans", f"--output={output}", f"--hints={root.rstrip('/')}/hints"]
        assert cli.main([*common, *flags]) == 0
    assert calm.files("colour")["a.png"] == (tmp_path / "colour" / "a.png").read_bytes()
    [record] = Ledger.of(calm.uri("colour"), "").records()
    assert record.guided["hints"]["file"] == "a.png.hints.json"
