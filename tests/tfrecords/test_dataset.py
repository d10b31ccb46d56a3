import os
import resource

import cv2
import numpy as np
import pytest
import skimage.color
import tensorflow as tf

import tfrecords
from tfrecords import color, dataset
from tfrecords.description import FILE_NAME, Description
from tfrecords.errors import DeniedError, OutageError, UserError
from tfrecords.example import LabExample
from tfrecords.shards import ShardWriter, shard_name

SIZE = 32


@pytest.fixture(scope="module")
def tiles(photos) -> list[np.ndarray]:
    """24 tiles of real photographs, uint8 [32, 32, 3]."""
    found = []
    for photo in photos.values():
        for left in range(0, 240, 40):
            tile = np.ascontiguousarray(photo[60:260, left : left + 200])
            found.append(cv2.resize(tile, (SIZE, SIZE), interpolation=cv2.INTER_AREA))
    return found


def synset(number: int) -> str:
    """The WordNet id of every second tile; the others have none."""
    return f"n{number:08}" if number % 2 else ""


@pytest.fixture
def prepared(tiles, tmp_path):
    """A prepared set: 20 tiles in 3 training shards, 4 for validation."""
    splits = {}
    for split, part, shards in (("train", tiles[4:], 3), ("validation", tiles[:4], 1)):
        splits[split] = []
        for index in range(shards):
            name = shard_name(split, index, shards)
            with (tmp_path / name).open("wb") as file:
                writer = ShardWriter(file)
                for number, tile in enumerate(part[index::shards]):
                    lab = color.srgb_to_lab(tile)
                    example = LabExample(
                        luminance=color.quantize_luminance(np.ascontiguousarray(lab[..., 0])),
                        chroma=color.quantize_chroma(np.ascontiguousarray(lab[..., 1:])),
                        height=200,
                        width=200,
                        name=f"{index}-{number}.png",
                        synset=synset(number),
                    )
                    writer.write(example.to_bytes())
            splits[split].append(writer.finished(name))
    description = Description(size=SIZE, splits=splits, settings={}, outcomes={"written": 24})
    (tmp_path / FILE_NAME).write_text(description.to_json())
    return tmp_path


def luminances(data_dir, split, **options) -> list[bytes]:
    return [luminance.tobytes() for luminance, _ in dataset.load(str(data_dir), split, **options).as_numpy_iterator()]


def test_examples_are_the_paper_s_x_and_y(prepared, tiles):
    pairs = list(dataset.load(str(prepared), "validation").as_numpy_iterator())
    assert len(pairs) == 4
    for (luminance, chroma), tile in zip(pairs, tiles[:4], strict=True):
        assert (luminance.shape, luminance.dtype) == ((SIZE, SIZE, 1), np.float32)
        assert (chroma.shape, chroma.dtype) == ((SIZE, SIZE, 2), np.float32)
        assert luminance.min() >= 0
        assert luminance.max() <= 1
        assert chroma.min() >= -1
        assert chroma.max() < 1
        lab = skimage.color.rgb2lab(tile)
        np.testing.assert_allclose(100 * luminance[..., 0], lab[..., 0], atol=0.21)
        assert np.abs(128 * chroma - lab[..., 1:]).mean() < 1.5  # so small a JPEG is all edges


def test_the_graph_decodes_chroma_as_the_host_does(prepared):
    name = shard_name("validation", 0, 1)
    records = list(dataset.tf.data.TFRecordDataset(str(prepared / name)).as_numpy_iterator())
    for record, (_, chroma) in zip(records, dataset.load(str(prepared), "validation"), strict=True):
        host = color.dequantize_chroma(LabExample.from_bytes(record).chroma)
        np.testing.assert_array_equal(128 * chroma.numpy(), host)


def test_the_spec_is_known_before_reading(prepared):
    luminance, chroma = dataset.load(str(prepared), "train").element_spec
    assert (luminance.shape, chroma.shape) == ((SIZE, SIZE, 1), (SIZE, SIZE, 2))


def test_every_example_once_in_the_order_written(prepared, tiles):
    expected = [tile for index in range(3) for tile in tiles[4:][index::3]]
    found = luminances(prepared, "train")
    codes = [color.quantize_luminance(np.ascontiguousarray(color.srgb_to_lab(tile)[..., 0])) for tile in expected]
    assert found == [(code.astype(np.float32) / np.float32(255)).tobytes() for code in codes]


def test_wordnet_ids_are_in_the_order_of_the_examples(prepared):
    found = [one.decode() for one in dataset.synsets(str(prepared), "train").as_numpy_iterator()]
    # 20 tiles in three shards.
    assert found == [synset(number) for count in (7, 7, 6) for number in range(count)]


def test_the_same_seed_gives_the_same_order(prepared):
    plain = luminances(prepared, "train")
    first = luminances(prepared, "train", shuffle_seed=1)
    assert first == luminances(prepared, "train", shuffle_seed=1)
    assert first != plain
    assert first != luminances(prepared, "train", shuffle_seed=2)
    assert sorted(first) == sorted(plain)


def test_no_set(tmp_path):
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(UserError, match=r"has no dataset\.json; make the set with `autochrome prepare`"):
            dataset.load(str(folder), "train")


def test_a_description_that_is_not_text(prepared):
    (prepared / FILE_NAME).write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match=r"dataset\.json"):
        dataset.load(str(prepared), "train")


def test_a_missing_shard(prepared):
    name = shard_name("train", 1, 3)
    (prepared / name).unlink()
    with pytest.raises(UserError, match=f"{name} is missing; run the same `autochrome prepare` again"):
        dataset.load(str(prepared), "train")


def test_a_shard_cut_short(prepared):
    path = prepared / shard_name("validation", 0, 1)
    data = path.read_bytes()
    path.write_bytes(data[:-1])
    with pytest.raises(UserError, match=f"{path.name} has {len(data) - 1:,} bytes, not {len(data):,};"):
        dataset.load(str(prepared), "train")


def test_a_split_with_no_examples(prepared):
    description = Description.from_json((prepared / FILE_NAME).read_text())
    empty = Description(size=SIZE, splits={"train": description.splits["train"]}, settings={}, outcomes={})
    (prepared / FILE_NAME).write_text(empty.to_json())
    with pytest.raises(UserError, match="has no validation examples"):
        dataset.load(str(prepared), "validation")


def test_a_set_that_is_forbidden_is_not_missing(prepared):
    (prepared / FILE_NAME).chmod(0)
    uid = os.geteuid()
    try:
        if uid == 0:
            os.seteuid(65534)
        with pytest.raises(DeniedError, match=r"dataset\.json: access is denied"):
            dataset.read_description(str(prepared))
    finally:
        os.seteuid(uid)
        (prepared / FILE_NAME).chmod(0o644)


def test_a_set_that_cannot_be_opened_now_is_not_missing(prepared):
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, limits[1]))
    try:
        with pytest.raises(OutageError, match=r"dataset\.json cannot be read .*Too many open files"):
            dataset.read_description(str(prepared))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


def test_a_damaged_shard_is_named(prepared):
    path = prepared / "train-00001-of-00003.tfrecord"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)
    with (
        pytest.raises(UserError, match=rf"{path} is damaged: .*; run `autochrome inspect .* delete what it names"),
        dataset.damage_named(str(prepared)),
    ):
        list(dataset.load(str(prepared), "train").as_numpy_iterator())


def test_what_is_not_the_fault_of_a_shard_is_raised_as_it_is(prepared):
    with pytest.raises(tf.errors.DataLossError, match="elsewhere"), dataset.damage_named(str(prepared)):
        raise tf.errors.DataLossError(None, None, "elsewhere")


def test_it_is_the_load_of_the_package_and_says_its_shapes(prepared):
    examples = tfrecords.load(str(prepared), "validation")
    assert [(spec.shape.as_list(), spec.dtype.name) for spec in examples.element_spec] == [
        ([SIZE, SIZE, 1], "float32"),
        ([SIZE, SIZE, 2], "float32"),
    ]
    assert len(list(examples)) == 4


def test_an_unknown_split_is_one_line(prepared):
    with pytest.raises(UserError, match="split 'test' is unknown; choose train or validation"):
        tfrecords.load(str(prepared), "test")
