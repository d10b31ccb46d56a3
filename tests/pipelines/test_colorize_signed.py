"""The command `autochrome colorize --sign`: one job, with its sidecars, and what the other commands say of it."""

import json
from pathlib import Path

import certificates
import numpy as np
import pytest
import timestamps

from pipelines import cli
from pipelines.archive.manifest import Record
from pipelines.files import contents
from pipelines.images import credentials, encode
from pipelines.images.metadata import Metadata

FORMATS = {"coins.png": "PNG", "box 1/moon.jpg": "JPEG", "pages.tif": "TIFF"}


@pytest.fixture(scope="module")
def root(tmp_path_factory, encoded, grey_photos) -> Path:
    """Scans, and what `colorize --sign` makes of them."""
    made = tmp_path_factory.mktemp("signed")
    (made / "scans" / "box 1").mkdir(parents=True)
    for name in ("coins.png", "box 1/moon.jpg"):
        grey = grey_photos[name.rpartition("/")[2][:-4]][:200, :200]
        (made / "scans" / name).write_bytes(encoded(grey, FORMATS[name]))
    grey = np.dstack([grey_photos["camera"][:90, :120]] * 3)
    album = encode.encode([(grey, Metadata()), (grey[:50], Metadata())], "TIFF")
    (made / "scans" / "pages.tif").write_bytes(album)
    files = certificates.write(made / "secret")
    with timestamps.authority(made / "authority") as authority:
        flags = [*files.flags, "--sign_timestamp_url", authority.url]
        assert cli.main([*command(made), "--sidecar", str(made / "chroma"), *flags]) == 0
    return made


def command(root: Path) -> list[str]:
    return ["colorize", str(root / "scans"), str(root / "colour")]


def records(root: Path) -> dict[str, Record]:
    [shard] = (root / "colour" / "manifest").glob("photos-*.jsonl")
    found = map(Record.from_json, shard.read_text().splitlines())
    return {record.name: record for record in found}


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_every_file_is_signed_and_says_so(root, capsys):
    for name, file_format in FORMATS.items():
        found = credentials.read((root / "colour" / name).read_bytes(), file_format)
        assert (found.status, found.signer, found.stamped[:2]) == ("valid", certificates.NAME, "20")
    assert cli.main(["detect", str(root / "colour" / "coins.png")]) == 0
    said = "valid Content Credentials say compositeWithTrainedAlgorithmicMedia, signed by Archive of tests, Tests with"
    out = capsys.readouterr().out
    assert said in out
    assert ", time stamp 20" in out


def test_a_second_run_makes_nothing(root, capsys):
    before = files(root / "colour")
    flags = [
        "--sidecar",
        str(root / "chroma"),
        *certificates.Files(root / "secret/cert.pem", root / "secret/key.pem").flags,
    ]
    assert cli.main([*command(root), *flags]) == 0
    after = files(root / "colour")
    assert {name: after[name] for name in FORMATS} == {name: before[name] for name in FORMATS}
    assert json.loads(after["manifest/last_run.json"])["made"] == 0


def test_another_certificate_signs_new_photos_only(root, capsys):
    other = certificates.write(root / "renewed")
    flags = ["--sidecar", str(root / "chroma"), *other.flags, "--dry_run"]
    assert cli.main([*command(root), *flags]) == 0
    assert "3 inputs; done before: written: 3" in capsys.readouterr().out


def test_records_have_the_digest_of_the_bytes_that_every_run_makes(root, capsys):
    again = root / "again"
    assert cli.main(["apply", str(root / "scans"), str(root / "chroma"), str(again)]) == 0
    for record in records(root).values():
        [name] = {output.name for output in record.outputs}
        unsigned = contents.sha256((again / name).read_bytes())
        assert {output.unsigned_sha256 for output in record.outputs} == {unsigned}
        assert record.outputs[0].sha256 == contents.sha256((root / "colour" / name).read_bytes()) != unsigned


def test_verify_knows_a_file_that_lost_its_signature(root, capsys):
    assert cli.main(["verify", str(root / "colour")]) == 0
    path = root / "colour" / "coins.png"
    signed = path.read_bytes()
    assert cli.main(["apply", str(root / "scans"), str(root / "chroma"), str(root / "again")]) == 0
    path.write_bytes((root / "again" / "coins.png").read_bytes())
    assert cli.main(["verify", str(root / "colour")]) == 1
    assert "file coins.png unsigned\n" in capsys.readouterr().out
    path.write_bytes(signed)


def test_the_key_is_in_nothing_that_was_written(root):
    secret = (root / "secret" / "key.pem").read_bytes().splitlines()[1]
    written = {**files(root / "colour"), **files(root / "chroma")}
    assert not [name for name, data in written.items() if secret in data or b"key.pem" in data]
    assert json.loads(written["manifest/runs.json"])["runs"][0]["signing"]["name"] == certificates.NAME


def test_a_photo_alone_is_signed_too(root):
    flags = certificates.Files(root / "secret" / "cert.pem", root / "secret" / "key.pem").flags
    assert cli.main(["colorize", str(root / "scans" / "coins.png"), str(root / "one.webp"), *flags]) == 0
    assert credentials.read((root / "one.webp").read_bytes(), "WEBP").status == "valid"


def test_a_mistake_is_one_line_before_any_work(root, capsys):
    assert cli.main([*command(root), "--sign", str(root / "secret" / "cert.pem")]) == 2
    err = capsys.readouterr().err
    assert "needs --sign_key KEY or --sign_command COMMAND" in err
    assert err.count("\n") == 1
    for url in ("stamps.example", "ftp://stamps.example", "http://", "https://me:secret@stamps.example"):
        assert cli.main([*command(root), "--sign_timestamp_url", url]) == 2
        err = capsys.readouterr().err
        assert err.startswith("autochrome: error: --sign_timestamp_url: ")
        assert err.count("\n") == 1
        assert "secret" not in err
