import dataclasses
import io
import json
import subprocess
import sys

import keras
import numpy as np
import pytest
import skimage.data
import tensorflow as tf
import tiny
from PIL import Image

from model import bins, export, networks, saved_model
from model.colorizer import Colorizer
from model.config import Config, autoencoder, mini, unet
from pipelines.images import pages
from tfrecords import color, dataset
from tfrecords.errors import UserError

CONFIG = mini(autoencoder())


@pytest.fixture(scope="module")
def network():
    """The miniature network with a last layer that gives colours, as a trained one does."""
    network = networks.build(CONFIG)
    kernel, bias = network.get_layer("chroma").get_weights()
    network.get_layer("chroma").set_weights([20 * kernel, bias + np.array([0.05, 0.1], np.float32)])
    return network


@pytest.fixture(scope="module")
def exported(network, data_dir, tmp_path_factory) -> str:
    path = str(tmp_path_factory.mktemp("export") / "saved_model")
    export.write(path, CONFIG, network.get_weights(), dataset.read_description(data_dir), {"steps": 7})
    return path


def png(image: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG")
    return file.getvalue()


def test_serving_default_gives_the_network_s_chroma(exported, network):
    luminance = np.random.default_rng(0).random((3, 32, 32, 1), np.float32)
    signature = tf.saved_model.load(exported).signatures["serving_default"]
    found = signature(luminance=tf.constant(luminance))
    assert list(found) == ["chroma"]
    np.testing.assert_allclose(found["chroma"], network(luminance), atol=1e-6)


def test_a_fresh_process_needs_nothing_but_tensorflow(exported, tmp_path):
    image = png(skimage.data.coins()[:50, :70])
    (tmp_path / "in.png").write_bytes(image)
    code = f"""
import sys, tensorflow as tf
signatures = tf.saved_model.load({exported!r}).signatures
assert sorted(signatures) == ["colorize_bytes", "serving_default"], signatures
image = tf.io.read_file({str(tmp_path / "in.png")!r})
out = signatures["colorize_bytes"](image_bytes=image[None])["image_bytes"]
assert tf.io.decode_png(out[0]).shape == (50, 70, 3)
assert signatures["serving_default"](luminance=tf.zeros([2, 32, 32, 1]))["chroma"].shape == (2, 32, 32, 2)
assert not [name for name in sys.modules if name.split(".")[0] in ("model", "tfrecords", "tensorflow_io")]
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.fixture(scope="module")
def colorize_bytes(exported):
    """The signature as a function: list of files → list of files."""
    loaded = tf.saved_model.load(exported)
    signature = loaded.signatures["colorize_bytes"]

    def call(files: list[bytes]) -> list[bytes]:
        assert loaded
        return list(signature(image_bytes=tf.constant(files, tf.string))["image_bytes"].numpy())

    return call


def pixels(file: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(file)))


@pytest.mark.parametrize("encoding", ["PNG", "JPEG"])
def test_colour_in_the_graph_is_that_of_the_job(exported, colorize_bytes, encoding):
    photos = [skimage.data.astronaut()[:200, :150], skimage.data.camera()[::4, ::4], skimage.data.coffee()[::5, ::5]]
    encoded, decoded = [], []
    for photo in photos:
        file = io.BytesIO()
        Image.fromarray(photo).save(file, encoding, quality=95)
        encoded.append(file.getvalue())
        decoded.append(next(pages.read(file.getvalue())).pixels)
    colorizer = Colorizer.load(exported)
    for photo, one, source in zip(photos, colorize_bytes(encoded), decoded, strict=True):
        found = pixels(one)
        assert found.shape == (*photo.shape[:2], 3)
        assert np.ptp(found.astype(int), axis=-1).mean() > 5
        # Outside the gamut both give up chroma, to 1/256 of it.
        assert np.abs(found.astype(int) - colorizer.colorize(source)).max() <= 3


def test_a_photo_that_is_broken_is_an_empty_string_and_the_others_are_not_affected(colorize_bytes):
    file = io.BytesIO()
    Image.fromarray(skimage.data.coins()[:90, :120]).save(file, "JPEG")
    good, other = file.getvalue(), png(skimage.data.coins()[:50, :70])
    alone = colorize_bytes([good])
    found = colorize_bytes([b"", good, b"no photo", good[: len(good) // 2], other, other[:200], b"\xff\xd8\xff\xe1"])
    assert [bool(one) for one in found] == [False, True, False, False, True, False, False]
    assert found[1] == alone[0]
    assert colorize_bytes([]) == []
    assert colorize_bytes([b"no photo"]) == [b""]


@pytest.mark.parametrize("encoding", ["PNG", "JPEG"])
@pytest.mark.parametrize("turn", range(1, 9))
def test_photos_are_turned_upright(colorize_bytes, encoding, turn):
    exif = Image.Exif()
    exif[0x010F] = "a camera's maker"
    exif[0x0112] = turn
    file = io.BytesIO()
    photo = Image.fromarray(skimage.data.coins()[:40, :60])
    photo.save(file, encoding, exif=exif, quality=100, subsampling=0)
    upright = next(pages.read(file.getvalue())).pixels
    [found] = colorize_bytes([file.getvalue()])
    assert pixels(found).shape == (*upright.shape, 3)
    assert np.abs(color.luminance(pixels(found)) - color.luminance(upright)).max() < 1.5


def test_a_network_of_lower_resolution_has_the_same_signatures(data_dir, tmp_path):
    """Its luminance is averaged down, its classes decoded, its chroma brought up."""
    config = dataclasses.replace(tiny.CLASSIFIER, size=64)
    network, random = networks.build(config), np.random.default_rng(0)
    network.set_weights([random.normal(size=w.shape, scale=0.2).astype(np.float32) for w in network.get_weights()])
    export.write(str(tmp_path / "m"), config, network.get_weights(), dataset.read_description(data_dir), {})
    luminance = random.random((2, 64, 64, 1), np.float32)
    small = luminance.reshape(2, 32, 2, 32, 2, 1).mean(axis=(2, 4))
    expected = np.asarray(networks.decode(config, network(small)))
    assert expected.shape == (2, 64, 64, 2)
    assert np.ptp(expected) > 0.1
    np.testing.assert_allclose(Colorizer.load(str(tmp_path / "m")).predict(luminance), 128 * expected, atol=0.01)
    coffee = skimage.data.coffee()[::2, ::2]
    signature = tf.saved_model.load(str(tmp_path / "m")).signatures["colorize_bytes"]
    found = tf.io.decode_png(signature(image_bytes=tf.constant([png(coffee)]))["image_bytes"][0]).numpy()
    expected = Colorizer.load(str(tmp_path / "m")).colorize(coffee)
    # Random colours are so strong that most are outside the gamut, where rounding counts for more.
    difference = np.abs(found.astype(int) - expected)
    assert difference.max() <= 4
    assert difference.mean() < 0.1


def test_the_record_says_what_was_trained_on_what(exported, data_dir):
    record = saved_model.check(exported)
    description = dataset.read_description(data_dir)
    assert record["config"] == CONFIG.to_dict()
    assert record["data"] == {
        "fingerprint": description.fingerprint,
        "size": 32,
        "examples": {"train": 9, "validation": 3},
    }
    assert record["training"] == {"steps": 7}
    assert record["versions"]["tensorflow"] == tf.__version__


def test_an_export_replaces_the_one_before_and_leaves_nothing_else(data_dir, tmp_path):
    path = tmp_path / "saved_model"
    (tmp_path / "saved_model.partial").mkdir()
    description = dataset.read_description(data_dir)
    export.write(str(path), tiny.CONFIG, networks.build(tiny.CONFIG).get_weights(), description, {})
    first = saved_model.digest(str(path))
    assert saved_model.digest(f"{path}/") == first
    other = networks.build(dataclasses.replace(tiny.CONFIG, seed=1)).get_weights()
    export.write(str(path), tiny.CONFIG, other, description, {})
    assert saved_model.digest(str(path)) != first
    assert [entry.name for entry in tmp_path.iterdir()] == ["saved_model"]
    assert json.loads((path / "autochrome.json").read_text())["name"] == "tiny"


def test_weights_stored_in_half_precision_halve_the_model_and_change_little(data_dir, tmp_path):
    single, half = (dataclasses.replace(tiny.CLASSIFIER, stored=stored) for stored in ("float32", "float16"))
    random = np.random.default_rng(0)
    shapes = [weight.shape for weight in networks.build(single).get_weights()]
    weights = [random.normal(size=shape, scale=0.05).astype(np.float32) for shape in shapes]
    models = {}
    for config in (single, half):
        path = tmp_path / config.stored
        export.write(str(path), config, weights, dataset.read_description(data_dir), {})
        models[config.stored] = Colorizer.load(str(path))
    luminance = random.random((2, 32, 32, 1), np.float32)
    predicted = {stored: model.predict(luminance) for stored, model in models.items()}
    assert np.ptp(predicted["float32"]) > 1
    np.testing.assert_allclose(predicted["float16"], predicted["float32"], atol=0.05)
    assert models["float16"].parameters == models["float32"].parameters == sum(map(np.size, weights))
    data = "variables/variables.data-00000-of-00001"
    sizes = {stored: (tmp_path / stored / data).stat().st_size for stored in models}
    assert sizes["float16"] < 0.55 * sizes["float32"]


@pytest.fixture(scope="module")
def histogram() -> list[list[int]]:
    """Mostly grey, some skin."""
    counts = np.zeros((23, 23), int)
    counts[11, 11], counts[13, 13] = 90_000, 10_000
    return counts.tolist()


def classifying(
    data_dir: str, histogram: list[list[int]], path: str, base: Config = tiny.CLASSIFIER, **fields: float
) -> tuple[keras.Model, np.ndarray]:
    """A classifier exported with some fields, and the chroma it gives for 3 pictures."""
    config = dataclasses.replace(base, **fields)
    network = networks.build(config)
    kernel, bias = network.get_layer("chroma").get_weights()
    network.get_layer("chroma").set_weights([30 * kernel, bias])
    data = dataclasses.replace(dataset.read_description(data_dir), statistics={"train": {"chroma": histogram}})
    export.write(path, config, network.get_weights(), data, {})
    luminance = np.random.default_rng(0).random((3, config.size, config.size, 1), np.float32)
    return network, Colorizer.load(path).predict(luminance)


def test_prior_adjustment_takes_the_share_of_a_class_off_its_logits(data_dir, histogram, tmp_path):
    network, adjusted = classifying(data_dir, histogram, str(tmp_path / "model"), prior_adjustment=0.5)
    luminance = np.random.default_rng(0).random((3, 32, 32, 1), np.float32)
    logits = np.asarray(network(luminance), np.float64) - 0.5 * np.log(bins.mixed(histogram))
    shares = np.exp(logits - logits.max(axis=-1, keepdims=True))
    shares /= shares.sum(axis=-1, keepdims=True)
    expected = tf.image.resize(shares @ bins.centres(), [32, 32]).numpy()
    np.testing.assert_allclose(adjusted, expected, atol=1e-2)
    _, plain = classifying(data_dir, histogram, str(tmp_path / "plain"))
    assert np.linalg.norm(adjusted - plain, axis=-1).mean() > 0.2


def test_the_exported_network_sees_the_resolution_that_is_asked_for(data_dir, histogram, tmp_path):
    fields = {"resolution": 64, "size": 64, "export_resolution": 32}
    network, _ = classifying(data_dir, histogram, str(tmp_path / "model"), **fields)
    luminance = np.random.default_rng(0).random((3, 32, 32, 1), np.float32)
    large = np.repeat(np.repeat(luminance, 2, axis=1), 2, axis=2)
    seen = networks.build(dataclasses.replace(tiny.CLASSIFIER, resolution=32))
    seen.set_weights(network.get_weights())
    expected = networks.decode(dataclasses.replace(tiny.CLASSIFIER, size=64), seen(luminance))
    np.testing.assert_allclose(Colorizer.load(str(tmp_path / "model")).predict(large), expected * 128, atol=1e-3)


@pytest.mark.parametrize(("base", "size"), [(mini(unet()), 64), (tiny.CLASSIFIER, 48)], ids=["64", "48"])
def test_the_exported_network_is_compiled_for_accelerators(data_dir, histogram, tmp_path, base, size):
    """XLA, which GPUs can use and TPUs always do, lacks some operations of TensorFlow, such as ResizeArea."""
    path = str(tmp_path / "model")
    classifying(data_dir, histogram, path, base, size=size, prior_adjustment=0.5, stored="float16")
    loaded = tf.saved_model.load(path)
    luminance = tf.constant(np.random.default_rng(0).random((3, size, size, 1), np.float32))

    def predict() -> tf.Tensor:
        return 128 * loaded.signatures["serving_default"](luminance=luminance)["chroma"]

    expected = predict().numpy()
    assert np.ptp(expected) > 1
    np.testing.assert_allclose(tf.function(predict, jit_compile=True)(), expected, atol=5e-3)


def test_prior_adjustment_without_a_histogram_is_refused(data_dir, histogram, tmp_path):
    with pytest.raises(UserError, match="histogram"):
        classifying(data_dir, [], str(tmp_path / "model"), prior_adjustment=0.5)
    with pytest.raises(UserError, match="cross_entropy"):
        dataclasses.replace(CONFIG, prior_adjustment=0.5)
