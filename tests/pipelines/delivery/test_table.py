import csv
import io
from dataclasses import replace

from deliveries import OUTPUT, RECORD, TOLD, item, named

from pipelines.delivery import premis, table


def rows(*records) -> list[dict[str, str]]:
    text = table.document(map(item, records), TOLD).decode()
    return list(csv.DictReader(io.StringIO(text)))


def test_each_file_has_a_line():
    [row] = rows(RECORD)
    assert (row["file"], row["scan"], row["model"]) == ("data/colour/box 1/mill.jpg", RECORD.name, "released")
    assert (row["width"], row["created"], row["sha256"]) == ("3000", "2026-11-25T09:46:40Z", OUTPUT.sha256)
    assert "made by a machine" in row["note"]


def test_commas_quotes_and_line_breaks_stay_in_their_columns():
    [row] = rows(named('a, "b".jpg', warnings=("one\ntwo", "three")))
    assert row["scan"] == 'a, "b".jpg'
    assert row["warnings"] == "one\ufffdtwo; three"


def test_a_copy_does_not_say_that_a_machine_made_it():
    [row] = rows(replace(RECORD, status="copied", outputs=(replace(OUTPUT, sha256=RECORD.sha256),)))
    assert (row["status"], row["software"], row["note"]) == ("copied", "", "")
    copied = replace(RECORD, status="copied", outputs=(replace(OUTPUT, sha256=RECORD.sha256),), guided={"palette": {}})
    assert rows(copied)[0]["guided"] == ""


def test_the_scan_has_its_name_with_all_its_spaces():
    assert rows(named("東京\u3000駅\u00a01.jpg"))[0]["scan"] == "東京\u3000駅\u00a01.jpg"


def test_hints_that_were_left_out_did_not_guide_a_photo():
    guided = {"hints": {"file": "a.hints.png"}, "palette": {"file": "a.gpl"}}
    for warnings, said in (((), "hints palette"), (("bad_hint",), "palette")):
        record = replace(RECORD, guided=guided, warnings=warnings)
        assert rows(record)[0]["guided"] == said
        assert f"Guided by {said.replace(' ', ', ')}." in premis.document(item(record), TOLD).decode()


def test_a_file_that_somebody_changed_has_no_size_of_the_one_before():
    [row] = rows(replace(RECORD, status="kept", outputs=(replace(OUTPUT, made_sha256="ab"),)))
    assert (row["width"], row["height"], row["bytes"]) == ("", "", str(OUTPUT.bytes))
