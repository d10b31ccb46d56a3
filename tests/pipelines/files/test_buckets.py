import re

import pytest
from colorized_folder import colorized
from google.cloud import storage as cloud

from pipelines import prepare, report
from pipelines.files import input_checks, listings, sources
from tfrecords.description import FILE_NAME, Description
from tfrecords.errors import UserError


@pytest.fixture(scope="module")
def uploaded(bucket, photo_tree) -> str:
    client = cloud.Client.create_anonymous_client()
    for path in photo_tree.rglob("*"):
        if path.is_file():
            client.bucket(bucket).blob(f"in/{path.relative_to(photo_tree)}").upload_from_filename(str(path))
    client.bucket(bucket).blob("in-other/x.jpg").upload_from_string(b"x")
    return f"gs://{bucket}/in"


def test_a_listing_by_prefix_is_the_whole_listing(uploaded, photo_tree):
    names = {str(path.relative_to(photo_tree)): path for path in photo_tree.rglob("*") if path.is_file()}
    found = list(sources.find(uploaded))
    assert {source.name for source in found} == set(names)
    assert len(found) == len(names)
    for source in found:
        assert source.size == names[source.name].stat().st_size
        assert source.read() == names[source.name].read_bytes()
    branches = list(listings.of_input(uploaded))
    assert {branch.path for branch in branches if not branch.page} == {
        f"{uploaded}/{path.name}/" for path in photo_tree.iterdir() if path.is_dir()
    }
    # What lies beside the subfolders is listed already.
    assert {blob.uri for branch in branches for blob in branch.page} == {
        f"{uploaded}/{path.name}" for path in photo_tree.iterdir() if path.is_file()
    }


def test_a_single_object_and_a_glob(uploaded):
    assert [source.name for source in sources.find(f"{uploaded}/coins.jpg")] == ["coins.jpg"]
    assert sorted(source.name for source in sources.find(f"{uploaded}/*.jpg")) == [
        "camera.jpg",
        "coins.jpg",
        "moon.jpg",
    ]


def test_a_generation_is_part_of_the_fingerprint(bucket):
    blob = cloud.Client.create_anonymous_client().bucket(bucket).blob("again/a.jpg")
    blob.upload_from_string(b"one")
    (first,) = sources.find(f"gs://{bucket}/again")
    blob.upload_from_string(b"two")
    (second,) = sources.find(f"gs://{bucket}/again")
    assert first.size == second.size
    assert first.fingerprint != second.fingerprint


def test_what_is_not_there_is_one_line(bucket):
    for uri in (f"gs://{bucket}/nothing", "gs://no-such-bucket/in"):
        with pytest.raises(UserError, match="gs://") as raised:
            input_checks.check_any(uri)
        assert "\n" not in str(raised.value)


def contents_of(folder):
    branches = listings.of_input(folder)
    return {file.name: file.read() for branch in branches for file in sources.files(branch, f"{folder}/")}


def test_prepare_from_bucket_to_bucket_gives_the_files_of_a_disk(uploaded, bucket, photo_tree, tmp_path):
    flags = ["--size=32", "--num_shards=2", "--direct_num_workers=1"]
    assert prepare.main([f"--input={photo_tree}", f"--output={tmp_path}/records", *flags]) == 0
    output = f"gs://{bucket}/records"
    assert prepare.main([f"--input={uploaded}", f"--output={output}", *flags]) == 0
    there = contents_of(output)
    assert {name for name in there if name.endswith(".tfrecord")}
    for name, data in there.items():
        if name.endswith(".tfrecord"):
            assert data == (tmp_path / "records" / name).read_bytes()
    description = Description.from_json(there[FILE_NAME].decode())
    here = Description.from_json((tmp_path / "records" / FILE_NAME).read_text())
    assert description.outcomes == here.outcomes
    assert not [name for name in there if name.endswith(".part")]
    damaged = next(name for name in there if name.endswith(".tfrecord"))
    blob = cloud.Client.create_anonymous_client().bucket(bucket).blob(f"records/{damaged}")
    blob.upload_from_string(bytes(len(there[damaged])))
    assert prepare.main([f"--input={uploaded}", f"--output={output}", *flags]) == 0
    assert contents_of(output) == there


def test_a_report_in_a_bucket_is_that_of_a_disk(bucket, photos, tmp_path):
    folder = colorized(tmp_path / "colour", photos)
    # Names that objects can have: UTF-8, and nothing that an address has to escape twice.
    folder.records = [record for record in folder.records if re.fullmatch(r"[\w /.]+", record.name, re.ASCII)]
    output = folder.write()
    client = cloud.Client.create_anonymous_client()
    for path in output.rglob("*"):
        if path.is_file() and path.name.isascii() and "<" not in path.name:
            client.bucket(bucket).blob(f"report/colour/{path.relative_to(output)}").upload_from_filename(str(path))
    assert report.main([f"gs://{bucket}/report/colour"]) == 0
    assert report.main([str(output)]) == 0
    made = [*output.glob("index.html"), *(path for path in output.glob("report/**/*") if path.is_file())]
    remote = {
        blob.name.removeprefix("report/colour/"): blob.download_as_bytes()
        for blob in client.list_blobs(bucket, prefix="report/colour/")
    }
    assert {name for name in remote if name.startswith("report/")} | {"index.html"} == {
        str(path.relative_to(output)) for path in made
    }
    for path in made:
        assert remote[str(path.relative_to(output))] == path.read_bytes()
    kept = client.bucket(bucket).get_blob("report/colour/report/index.js")
    assert report.main([f"gs://{bucket}/report/colour/"]) == 0
    thumbnails = list(client.list_blobs(bucket, prefix="report/colour/report/thumbnails/"))
    assert max(blob.updated for blob in thumbnails) <= kept.updated
