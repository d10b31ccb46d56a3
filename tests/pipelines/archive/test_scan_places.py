import pytest
from colorized_folder import Folder

from pipelines.archive import scan_places
from pipelines.archive.ledger import Ledger
from tfrecords.errors import UserError


@pytest.mark.parametrize(
    ("uri", "is_found"),
    [
        ("scans/box/a.jpg", True),
        ("../here/scans/a.jpg", True),
        ("/elsewhere/scans/a.jpg", True),  # may be on a disk that does not answer
        ("gs://bucket/scans/a.jpg", True),
        ("a.jpg", True),
        ("lost/a.jpg", False),
        ("../lost/a.jpg", False),
        ("../../lost/a.jpg", False),
    ],
)
def test_scans_are_looked_for_from_the_folder_of_the_run(uri, is_found, tmp_path, monkeypatch):
    folder = Folder(tmp_path / "made")
    folder.record("broken.jpg", status="rejected", uri="lost/broken.jpg")  # which nobody compares
    folder.record("scan.jpg", b"scan", uri=uri)
    ledger = Ledger.of(str(folder.write()))
    (tmp_path / "here" / "scans").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "here")
    if is_found:
        scan_places.check(ledger)
    else:
        with pytest.raises(UserError, match=f"such as {uri}; run this there too: .*here has no "):
            scan_places.check(ledger)
