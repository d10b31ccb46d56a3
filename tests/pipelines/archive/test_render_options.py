import pickle

import certificates
from one_photo import recipe

from pipelines.archive import signing
from pipelines.archive.manifest import Record
from pipelines.archive.provenance import Recipe
from pipelines.archive.render_options import RenderOptions, options_of

RECORD = Record(
    name="a.jpg",
    uri="a.jpg",
    offset=None,
    fingerprint="1-1",
    status="rejected",
    sha256="5ca",
    model="unet",
    model_digest="c0ffee" * 10,
    settings_digest="0a1b2c" * 10,
    guided={"hints": {"file": "a.png"}, "skip": False},
)


def options(made_with: Recipe) -> RenderOptions:
    return options_of(RECORD, made_with, 32, b"")


def test_a_photo_is_rendered_as_the_settings_say():
    made = options(recipe(1, format="png", watermark="off"))
    assert (made.format, made.size, made.watermark, made.claim) == ("png", 32, None, None)
    assert dict(made.mark.guided) == {"hints": "a.png"}
    assert options(recipe(1)).watermark.model == "c0ffee"


def test_the_child_process_gets_certificates_and_never_a_key(tmp_path):
    files = certificates.write(tmp_path)
    made_with = signing.of(str(files.certificate), str(files.key), "")
    made = options(Recipe(**{**vars(recipe(1)), "signing": made_with, "training": "Trained on cats."}))
    assert (made.claim.chain, made.claim.scan_sha256) == (made_with.chain, "5ca")
    assert str(files.key).encode() not in pickle.dumps(made)
