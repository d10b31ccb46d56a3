import pytest

from pipelines.dataset import partitions
from pipelines.dataset.claim import Listing
from pipelines.dataset.described import described
from pipelines.dataset.sharding import PARTITIONS_FILE
from pipelines.runtime.partition import Partition
from tfrecords.description import FILE_NAME, Description
from tfrecords.errors import UserError


def test_a_set_is_described_by_its_file(tmp_path):
    made = Description(size=32, splits={"train": []}, outcomes={}, settings={}, sources={}, statistics={})
    (tmp_path / FILE_NAME).write_text(made.to_json())
    assert described(str(tmp_path)) == made


def test_a_folder_without_that_file_is_no_set_or_lacks_partitions(tmp_path):
    with pytest.raises(UserError, match=f"has no {FILE_NAME}; make the set"):
        described(str(tmp_path))
    partitions.stake(str(tmp_path), Partition(1, 7), Listing(photos=1, fingerprint="f"))
    for index in (0, 8):
        (tmp_path / "parts" / f"train-0000{index}-of-00009.tfrecord.json").touch()
    with pytest.raises(UserError) as raised:
        described(str(tmp_path))
    assert str(raised.value) == (
        f"{tmp_path} is not complete: partitions with finished shards: 1/7, 2/7; without any: 3/7, 4/7, 5/7, 6/7, 7/7; "
        "run the same `autochrome prepare` without --partition, which makes what is missing, or with each of them again"
    )
    (tmp_path / PARTITIONS_FILE).write_text("[")
    with pytest.raises(UserError, match=f"has no {FILE_NAME}; make the set"):
        described(str(tmp_path))
