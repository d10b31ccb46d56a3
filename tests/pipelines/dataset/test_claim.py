import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

import apache_beam as beam
import pytest
import quick_pipeline

from pipelines.dataset.claim import Claim, Clearing, Listing, Summarize, stake
from pipelines.files.sources import Source
from tfrecords.errors import UserError

CLAIM = Claim({"size": 256, "num_shards": 8}, Listing(photos=3, fingerprint="ab"))
PHOTOS = [Source(uri=f"/photos/{name}", name=name, size=5, fingerprint=f"5-{name}") for name in "abc"]


def listing_of(photos: list[Source], folder: Path) -> Listing:
    file = folder / "listing.json"
    with quick_pipeline.running() as pipeline:
        text = pipeline | beam.Create(photos) | Summarize() | beam.Map(lambda one: json.dumps(asdict(one)))
        _ = text | beam.Map(file.write_text)
    return Listing(**json.loads(file.read_text()))


def test_a_claim_survives_its_text():
    assert Claim.from_json(CLAIM.to_json()) == CLAIM


def test_the_first_stakes_and_an_equal_one_goes_on(tmp_path):
    path = tmp_path / "parts" / "claim.json"
    stake(str(path), CLAIM)
    before = path.stat()
    stake(str(path), CLAIM)
    assert Claim.from_json(path.read_text()) == CLAIM
    assert path.stat().st_ino == before.st_ino


@pytest.mark.parametrize(
    ("other", "difference"),
    [
        (Claim({"size": 128, "num_shards": 8}, CLAIM.sources), "size was 256, now 128"),
        (Claim(CLAIM.settings, Listing(photos=4, fingerprint="ac")), "there were 3 photos, now 4"),
        (Claim(CLAIM.settings, Listing(photos=3, fingerprint="ac")), "photos were changed, renamed or replaced"),
        (
            Claim({"size": 64, "num_shards": 8}, Listing(photos=4, fingerprint="x")),
            "size was 256, now 64; there were 3 photos, now 4",
        ),
    ],
)
def test_another_is_refused_unless_it_may_clear(tmp_path, other, difference):
    path = str(tmp_path / "claim.json")
    stake(path, CLAIM)
    with pytest.raises(UserError, match=difference) as raised:
        stake(path, other)
    assert "\n" not in str(raised.value)
    assert Claim.from_json((tmp_path / "claim.json").read_text()) == CLAIM
    seen = []
    stake(path, other, clearing=clearing(tmp_path, "a", lambda: seen.append((tmp_path / "claim.json").read_text())))
    assert seen == [CLAIM.to_json()]
    assert Claim.from_json((tmp_path / "claim.json").read_text()) == other


def clearing(folder: Path, run: str, clear: Callable[[], None]) -> Clearing:
    return Clearing(run=run, marker=str(folder / "cleared_by"), clear=clear)


def test_a_run_that_is_started_again_does_not_clear_what_it_made(tmp_path):
    path, times = str(tmp_path / "claim.json"), []

    def start(run: str, claim: Claim = CLAIM) -> int:
        stake(path, claim, clearing=clearing(tmp_path, run, lambda: times.append(run)))
        assert Claim.from_json((tmp_path / "claim.json").read_text()) == claim
        return len(times)

    stake(path, CLAIM)
    assert start("a") == 1
    assert start("a") == 1
    (tmp_path / "claim.json").unlink()  # killed between the two
    assert start("a") == 1
    assert start("a", Claim(CLAIM.settings, Listing(photos=4, fingerprint="ac"))) == 2, (
        "photos came meanwhile: all shards change"
    )
    assert start("b") == 3, "another launch was told to clear the folder"


@pytest.mark.parametrize("damage", [None, "", "{"], ids=["no claim", "empty", "cut short"])
def test_of_different_runs_that_start_at_once_one_goes_on(tmp_path, damage):
    runs = 8
    for attempt in range(10):
        path = str(tmp_path / str(attempt) / "claim.json")
        if damage is not None:
            Path(path).parent.mkdir()
            Path(path).write_text(damage)
        together = threading.Barrier(runs)

        def start(size: int, path: str = path, together: threading.Barrier = together) -> int:
            together.wait()
            try:
                stake(path, Claim({"size": size}, CLAIM.sources))
            except UserError:
                return 0
            return size

        with ThreadPoolExecutor(runs) as pool:
            (winner,) = [size for size in pool.map(start, range(1, runs + 1)) if size]
        assert Claim.from_json(Path(path).read_text()).settings == {"size": winner}
        assert [entry.name for entry in Path(path).parent.iterdir()] == ["claim.json"]


def test_a_damaged_claim_is_made_again(tmp_path):
    path = tmp_path / "claim.json"
    for damage in ("", "{", "[]", '{"settings": 1}'):
        path.write_text(damage)
        stake(str(path), CLAIM)
        assert Claim.from_json(path.read_text()) == CLAIM


def test_a_listing_depends_on_what_there_is_and_on_no_order(tmp_path):
    listing = listing_of(PHOTOS, tmp_path)
    assert listing.photos == 3
    assert listing_of(PHOTOS[::-1], tmp_path) == listing
    changed = Source(uri="/photos/a", name="a", size=5, fingerprint="5-later")
    renamed = Source(uri="/photos/a", name="z", size=5, fingerprint="5-a")
    moved = Source(uri="/elsewhere/a", name="a", size=5, fingerprint="5-a")
    touched = listing_of([changed, *PHOTOS[1:]], tmp_path)
    assert touched != listing
    assert touched.is_like(listing)
    assert Listing(photos=3, fingerprint=listing.fingerprint).is_like(listing), "an earlier version listed no identity"
    larger = Source(uri="/photos/a", name="a", size=6, fingerprint="5-a")
    assert not listing_of([larger, *PHOTOS[1:]], tmp_path).is_like(touched)
    assert listing_of([renamed, *PHOTOS[1:]], tmp_path) != listing
    assert listing_of([moved, *PHOTOS[1:]], tmp_path) == listing
    assert listing_of([*PHOTOS, PHOTOS[0]], tmp_path) != listing
