import pytest
from deliveries import OUTPUT, replace

from pipelines.delivery.told import Told, written_at
from pipelines.images.source_types import COMPOSITE


@pytest.mark.parametrize(
    ("fingerprint", "said"),
    [
        ("7-1795600000123456789-1795600000123456789", "2026-11-25T09:46:40Z"),
        ("7-1795600000123456", "2026-11-25T09:46:40Z"),
        ("", ""),
        ("7-0x8DC", ""),
        ("7-12", ""),
    ],
    ids=["disk", "bucket", "unknown", "another store", "no time"],
)
def test_a_fingerprint_says_when_a_file_was_written(fingerprint, said):
    assert written_at(replace(OUTPUT, fingerprint=fingerprint)) == said


def test_files_have_the_source_type_of_the_settings_that_made_them():
    runs = [{"settings_digest": "5e", "settings": {"digital_source_type": "x"}}, {"settings": None}]
    told = Told.of(runs, "https://a.example/")
    assert [told.source_type(digest) for digest in ("5e", "", "5f")] == ["x", COMPOSITE, COMPOSITE]
    assert told.url == "https://a.example"
