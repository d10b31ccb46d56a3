"""Names that no archive should have and some do: every photo gets its outcome, in the output and nowhere else."""

import io
import json
import os
import re
import tarfile
from pathlib import Path

import pytest
from google.cloud import storage as cloud
from objects import served

from pipelines import cli, colorize, prepare
from pipelines.archive.ledger import Ledger
from pipelines.archive.manifest import Record
from tfrecords.errors import UserError

LATIN_1 = b"caf\xe9.jpg"
CP437 = b"M\x81ller.jpg"
ESCAPES = "red \x1b[31m\r\n.jpg"
LONG = "x" * 251 + ".jpg"
LONG_BMP = "y" * 251 + ".bmp"
LONGER = "z" * 300


@pytest.fixture(scope="module")
def jpeg(grey_photos, encoded) -> bytes:
    return encoded(grey_photos["coins"][:40, :48], "JPEG")


@pytest.fixture(scope="module")
def bmp(grey_photos, encoded) -> bytes:
    return encoded(grey_photos["coins"][:40, :48], "BMP")


def tar_of(path: Path, names: list[str], data: bytes) -> None:
    with tarfile.open(path, "w", format=tarfile.GNU_FORMAT, errors="surrogateescape") as tar:
        for name in names:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))


def recorded(output: Path) -> dict[str, Record]:
    """Records by the name of their input, those of a name that two inputs have under the last one's."""
    lines = [line for path in sorted((output / "manifest").glob("photos-*")) for line in path.read_bytes().splitlines()]
    return {record.name: record for record in (Record.from_json(line.decode()) for line in lines)}


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def odd(tmp_path_factory, jpeg, bmp) -> Path:
    """A folder of photos with odd names."""
    root = tmp_path_factory.mktemp("odd") / "in [a-c]*"
    root.mkdir()
    Path(os.fsdecode(os.fsencode(root) + b"/" + LATIN_1)).write_bytes(jpeg)
    for name in (ESCAPES, LONG, "photo[1].jpg", "photo1.jpg", "*.jpg"):
        (root / name).write_bytes(jpeg)
    (root / LONG_BMP).write_bytes(bmp)
    for folder in ("manifest", "report.json", "report/thumbnails", "box[1]"):
        (root / folder).mkdir(parents=True)
        (root / folder / "a.jpg").write_bytes(jpeg)
    tar_of(root / "dos.tar", ["n01440764\\z.jpg", "C:\\scans\\..\\y.jpg", os.fsdecode(CP437)], jpeg)
    tar_of(root / "long.tar", [f"{LONGER}.jpg", f"{LONGER}/{LONGER}.jpg"], jpeg)
    (root / "loop.jpg").symlink_to("loop.jpg")
    (root / "elsewhere").symlink_to("/")
    return root


@pytest.fixture(scope="module")
def made(odd, tmp_path_factory, saved_model_dir) -> Path:
    output = tmp_path_factory.mktemp("made") / "out[1]"
    assert colorize.main([f"--input={odd}", f"--output={output}", f"--model={saved_model_dir}"]) == 0
    return output


def written(output: Path, name: str) -> str:
    """The file of a photo that must have been written."""
    record = recorded(output)[name]
    assert (record.status, record.detail) == ("written", "")
    assert os.path.getsize(output / record.outputs[0].name) == record.outputs[0].bytes  # noqa: PTH202
    return record.outputs[0].name


def test_a_name_that_is_not_utf_8_keeps_its_bytes_on_a_local_disk(made):
    for name, at in ((os.fsdecode(LATIN_1), LATIN_1), (f"dos/{os.fsdecode(CP437)}", b"dos/" + CP437)):
        assert os.fsencode(written(made, name)) == at
        assert os.fsencode(made) + b"/" + at in map(os.fsencode, made.rglob("*"))


def test_a_name_with_control_characters_is_written_without_them(made):
    assert written(made, "red %1B[31m%0D%0A.jpg") == "red %1B[31m%0D%0A.jpg"
    assert recorded(made)["red %1B[31m%0D%0A.jpg"].uri.endswith(ESCAPES)


def test_backslashes_in_a_tar_are_folders(made):
    assert written(made, "dos/n01440764/z.jpg") == "dos/n01440764/z.jpg"
    assert written(made, "dos/scans/y.jpg") == "dos/scans/y.jpg"


def test_names_of_the_greatest_length_are_kept_and_longer_ones_are_cut(made):
    assert written(made, LONG) == LONG
    png = written(made, LONG_BMP)
    assert (png[:197], png[197:199], png[215:]) == ("y" * 197, "~x", ".bmp.png")
    assert recorded(made)[LONG_BMP].warnings == (f"written as {png}: the output cannot have its name",)
    for name in (f"long/{LONGER}.jpg", f"long/{LONGER}/{LONGER}.jpg"):
        assert all(len(part) <= 255 for part in written(made, name).split("/"))


def test_no_photo_is_written_where_the_job_writes(made):
    assert written(made, "manifest/a.jpg") == "manifest~2/a.jpg"
    assert written(made, "report.json/a.jpg") == "report.json~2/a.jpg"
    assert written(made, "report/thumbnails/a.jpg") == "report/thumbnails~2/a.jpg"
    assert json.loads((made / "report.json").read_text())["inputs"] == len(recorded(made))
    assert not list((made / "manifest").rglob("*.jpg"))


def test_names_with_wildcards_are_names(made, odd):
    for name in ("photo[1].jpg", "photo1.jpg", "*.jpg", "box[1]/a.jpg"):
        assert written(made, name) == name


def test_linked_folders_and_links_to_themselves_are_told(made):
    found = recorded(made)
    assert (found["elsewhere"].status, found["elsewhere"].reason) == ("rejected", "linked_folder")
    assert found["elsewhere"].detail.startswith("linked folder not followed: ")
    assert found["elsewhere"].detail.endswith("/elsewhere leads to /")
    assert (found["loop.jpg"].status, found["loop.jpg"].reason) == ("rejected", "unreadable")
    assert "Too many levels of symbolic links" in found["loop.jpg"].detail


def test_every_input_has_one_outcome_and_nothing_else_was_written(made):
    found = recorded(made)
    assert len(found) == 18
    outputs = {output.name for record in found.values() for output in record.outputs}
    own = {"report.json", "rejected.jsonl"}
    assert {name for name in files(made) if not name.startswith("manifest/")} == outputs | own


def test_started_again_everything_is_found_done(made, odd, saved_model_dir):
    before = {path: path.stat().st_mtime_ns for path in made.rglob("*.jpg")}
    assert colorize.main([f"--input={odd}", f"--output={made}", f"--model={saved_model_dir}"]) == 0
    last = json.loads((made / "manifest" / "last_run.json").read_text())
    assert (last["made"], last["found"]) == (2, 16)  # links are looked at again
    assert {path: path.stat().st_mtime_ns for path in made.rglob("*.jpg")} == before


def test_what_is_printed_cannot_command_the_terminal(odd, saved_model_dir, tmp_path, capfd):
    flags = [f"--input={odd}", f"--output={tmp_path / 'out'}", f"--model={saved_model_dir}", "--dry_run"]
    assert colorize.main(flags) == 0
    shown = capfd.readouterr().out
    assert "\x1b" not in shown
    assert "make\tcaf\\udce9.jpg\n" in shown
    assert "18 inputs" in shown


def test_no_command_prints_a_path_as_it_is(saved_model_dir, tmp_path, photos, encoded, capfd):
    """The files that a run replaces and removes, the title, where the results are, a lone photo, and errors."""
    folder, output = tmp_path / "in", tmp_path / "out\x1b[31m"
    folder.mkdir()
    for name in ("a\u202e.png", "broken\u202e.jpg"):
        (folder / name).write_bytes(encoded(photos["coffee"], "PNG") if name.endswith("png") else b"broken")
    flags = [f"--input={folder}", f"--output={output}", f"--model={saved_model_dir}"]
    alone = [f"--input={folder}/broken\u202e.jpg", f"--output={tmp_path}/\x1b.jpg", f"--model={saved_model_dir}"]
    assert cli.main(["colorize", *flags]) == 0
    assert cli.main(["colorize", *flags, "--format=jpeg", "--dry_run"]) == 0
    assert cli.main(["colorize", *flags, "--format=png", "--dry_run"]) == 0
    assert cli.main(["colorize", *alone]) == 1
    assert cli.main(["colorize", *alone, "--dry_run"]) == 0
    assert cli.main(["report", str(output)]) == 0
    assert cli.main(["colorize", f"--input={tmp_path}/\x1b\n", f"--output={output}"]) == 2
    shown = capfd.readouterr()
    assert not re.search("[\x1b\u202e]", shown.out + shown.err)
    for line in ("remove a\\u202e.png\ta\\u202e.png", "out\\x1b[31m: 2 inputs", "replaces a\\u202e.png\t"):
        assert line in shown.out
    assert "\\x1b\\n does not exist" in shown.err


def test_a_set_of_such_names_is_prepared(odd, tmp_path, photos, encoded):
    """The synset of a name with backslashes is found, an output folder with brackets is found done and cleared."""
    folder = tmp_path / "in"
    folder.mkdir()
    tar_of(folder / "dos.tar", ["n01440764\\z.jpg"], encoded(photos["coffee"], "JPEG"))
    output = tmp_path / "records[1]"
    flags = [f"--input={folder}", f"--output={output}", "--size=32", "--validation_percent=0", "--direct_num_workers=1"]
    assert prepare.main(flags) == 0
    shards = {path: path.stat().st_mtime_ns for path in output.glob("*.tfrecord")}
    assert b"n01440764/z.jpg" in b"".join(path.read_bytes() for path in shards)
    assert prepare.main(flags) == 0
    assert {path: path.stat().st_mtime_ns for path in output.glob("*.tfrecord")} == shards
    (output / "train-notes.txt").write_text("mine")
    assert prepare.main([*flags, "--num_shards=3", "--overwrite"]) == 0
    left = {path.name for path in output.glob("train-*")}
    assert len(left) == 2
    assert left == {"train-notes.txt", *(name for name in left if name.endswith("-of-00003.tfrecord"))}


OBJECTS = ["trav/x/../../../escaped.jpg", "box/1.jpg", "box//1.jpg", "/2.jpg", "[1]/3.jpg", "a.jpg", "a.jpg/4.jpg"]


def test_objects_are_written_below_the_output_and_each_in_a_file_of_its_own(jpeg, saved_model_dir, tmp_path):
    output = tmp_path / "safe" / "out"
    with served({f"in/{name}": jpeg for name in OBJECTS} | {"inn/other.jpg": jpeg}) as uri:
        assert colorize.main([f"--input={uri}/in", f"--output={output}", f"--model={saved_model_dir}"]) == 0
        made = {name for name in files(tmp_path) if name.endswith(".jpg")}
        assert made == {
            f"safe/out/{name}"
            for name in (
                "trav/x/escaped.jpg",
                "box/1.jpg",
                "box/1~2.jpg",
                "2.jpg",
                "[1]/3.jpg",
                "a~2.jpg",
                "a.jpg/4.jpg",
            )
        }
        assert json.loads((output / "report.json").read_text())["outcomes"] == {"written": 7}
        assert [record.name for record in Ledger.of(str(output)).records()].count("box/1.jpg") == 2
        assert colorize.main([f"--input={uri}/in", f"--output={output}", f"--model={saved_model_dir}"]) == 0
        last = json.loads((output / "manifest" / "last_run.json").read_text())
        assert (last["made"], last["found"]) == (0, 7)


def test_names_in_a_bucket_are_utf_8(odd, bucket, saved_model_dir):
    output = f"gs://{bucket}/odd/colour[1]"
    (single,) = [path for path in odd.iterdir() if path.name.startswith("caf")]
    assert colorize.main([f"--input={single}", f"--output={output}", f"--model={saved_model_dir}"]) == 0
    made = {blob.name for blob in cloud.Client.create_anonymous_client().list_blobs(bucket, prefix="odd/colour")}
    assert "odd/colour[1]/caf%E9.jpg" in made
    assert colorize.main([f"--input={single}", f"--output={output}", f"--model={saved_model_dir}"]) == 0
    blob = cloud.Client.create_anonymous_client().bucket(bucket).blob("odd/colour[1]/manifest/last_run.json")
    assert json.loads(blob.download_as_bytes())["found"] == 1


def test_sources_are_never_overwritten_through_a_link_in_the_output(jpeg, saved_model_dir, tmp_path):
    source, output = tmp_path / "in" / "sub" / "a.jpg", tmp_path / "out"
    source.parent.mkdir(parents=True)
    source.write_bytes(jpeg)
    (tmp_path / "in" / "b.jpg").write_bytes(jpeg)
    output.mkdir()
    (output / "sub").symlink_to(source.parent)
    flags = [f"--input={tmp_path / 'in'}", f"--output={output}", f"--model={saved_model_dir}"]
    for replaced in ([], ["--replace_changed"]):
        assert colorize.main([*flags, *replaced]) == 0
        assert files(tmp_path / "in") == {"b.jpg", "sub/a.jpg"}
        assert source.read_bytes() == jpeg
        record = recorded(output)["sub/a.jpg"]
        assert (record.status, record.reason) == ("rejected", "unwritable")
        assert (
            record.detail
            == f"{output}/sub is a link to {source.parent}, and nothing is written through links; remove it"
        )
    (output / "sub").unlink()
    assert colorize.main(flags) == 0
    assert written(output, "sub/a.jpg") == "sub/a.jpg"


@pytest.mark.parametrize("link", ["manifest", "manifest/journal"])
def test_a_link_where_the_job_itself_writes_ends_it_before_work_starts(jpeg, saved_model_dir, tmp_path, link):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.jpg").write_bytes(jpeg)
    (tmp_path / "elsewhere").mkdir()
    path = tmp_path / "out" / link
    path.parent.mkdir(parents=True)
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UserError, match=r"is a link to .*/elsewhere, and nothing is written through links; remove it"):
        colorize.main([f"--input={tmp_path / 'in'}", f"--output={tmp_path / 'out'}", f"--model={saved_model_dir}"])
    assert files(tmp_path) == {"in/a.jpg"}
