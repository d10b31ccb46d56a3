import json
from dataclasses import replace

from deliveries import OUTPUT, RECORD, TOLD, item, named

from pipelines.delivery import iiif

PATH = "metadata/iiif/box 1/mill.jpg.json"


def document(record=RECORD) -> bytes:
    return iiif.document(item(record), "bag-00001", PATH, TOLD)


def test_the_example_in_the_documentation_is_what_is_written(repository):
    page = (repository / "docs" / "deliver.md").read_text()
    assert document().decode() in page.replace("\n    ", "\n")


def test_scan_and_colour_are_a_choice_on_one_canvas():
    manifest = json.loads(document())
    [canvas] = manifest["items"]
    assert (canvas["width"], canvas["height"]) == (OUTPUT.width, OUTPUT.height)
    [painting] = canvas["items"][0]["items"]
    assert (painting["motivation"], painting["target"]) == ("painting", canvas["id"])
    assert painting["body"]["type"] == "Choice"
    assert [one["id"] for one in painting["body"]["items"]] == [
        "https://archive.example/bags/bag-00001/data/scans/box%201/mill.jpg",
        "https://archive.example/bags/bag-00001/data/colour/box%201/mill.jpg",
    ]


def test_each_file_of_a_photo_has_a_canvas_and_every_id_is_its_own():
    pages = tuple(replace(OUTPUT, name=f"mill.{page}.jpg", page=page) for page in (1, 2))
    manifest = json.loads(document(replace(RECORD, outputs=pages)))
    ids = [one["id"] for one in manifest["items"]] + [one["items"][0]["id"] for one in manifest["items"]]
    assert len(set(ids)) == len(ids) == 4


def test_a_name_of_any_kind_makes_an_address():
    manifest = json.loads(document(named("caf\udce9 #?.jpg")))
    assert manifest["label"] == {"none": ["caf\ufffd #?.jpg"]}
    scan = manifest["items"][0]["items"][0]["items"][0]["body"]["items"][0]["id"]
    assert scan.endswith("/data/scans/caf_e9_%20%23%3F.jpg")


def test_a_file_that_somebody_changed_has_no_size_of_the_one_before():
    manifest = json.loads(document(replace(RECORD, outputs=(replace(OUTPUT, made_sha256="ab"),))))
    scan, colour = manifest["items"][0]["items"][0]["items"][0]["body"]["items"]
    assert (scan["width"], scan["height"]) == (OUTPUT.width, OUTPUT.height)
    assert {"width", "height"}.isdisjoint(colour)
