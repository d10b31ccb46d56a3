import json

import numpy as np
import pytest

from tfrecords.color import quantize_chroma, quantize_luminance, srgb_to_lab
from tfrecords.example import LabExample
from tfrecords.statistics import CHROMA_CENTRES, Statistics


@pytest.fixture(scope="module")
def examples(photos) -> list[LabExample]:
    found = []
    for index, (name, photo) in enumerate(photos.items()):
        lab = srgb_to_lab(np.ascontiguousarray(photo[:256, :256]))
        planes = quantize_luminance(lab[..., 0]), quantize_chroma(lab[..., 1:])
        height, width = photo.shape[:2]
        synset = f"n0000000{index % 2}"
        found.append(
            LabExample(
                luminance=planes[0], chroma=planes[1], height=height, width=width, name=f"{name}.jpg", synset=synset
            )
        )
    return found


def counted(examples: list[LabExample]) -> Statistics:
    statistics = Statistics()
    for size, example in enumerate(examples):
        statistics.add(example, 1000 + size)
    return statistics


def test_histograms_are_those_of_numpy(examples):
    statistics = counted(examples)
    chroma = np.concatenate([e.chroma[::2, ::2].reshape(-1, 2) for e in examples]).astype(float) - 128
    edges = np.arange(CHROMA_CENTRES[0] - 5, CHROMA_CENTRES[-1] + 6, 10)
    assert np.array_equal(statistics.chroma, np.histogram2d(*chroma.T, bins=[edges, edges])[0])
    luminance = np.concatenate([e.luminance[::2, ::2].ravel() for e in examples]) / 2.55
    assert np.array_equal(statistics.luminance, np.histogram(luminance, bins=100, range=(0, 100))[0])


def test_sums_and_peaks(examples):
    statistics = counted(examples)
    assert (statistics.examples, statistics.record_bytes, statistics.largest_record) == (4, 4006, 1003)
    assert statistics.largest_photo == max(e.height * e.width for e in examples)
    assert statistics.synsets == {"n00000000": 2, "n00000001": 2}


def test_parts_add_up_to_the_whole_and_survive_json(examples):
    halves = counted(examples[:2]) + counted(examples[2:])
    whole = counted(examples)
    assert halves.to_dict() | {"record_bytes": 0, "largest_record": 0} == whole.to_dict() | {
        "record_bytes": 0,
        "largest_record": 0,
    }
    assert Statistics.from_dict(json.loads(json.dumps(whole.to_dict()))).to_dict() == whole.to_dict()
    assert (Statistics() + whole).to_dict() == whole.to_dict()


def test_every_code_has_a_bin():
    ramp = np.arange(256, dtype=np.uint8).repeat(2).reshape(1, -1).repeat(2, 0)
    example = LabExample(luminance=ramp, chroma=np.dstack([ramp, ramp[:, ::-1]]), height=1, width=1, name="x")
    statistics = counted([example])
    assert statistics.luminance.sum() == statistics.chroma.sum() == 256
