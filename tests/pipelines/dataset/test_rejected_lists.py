from pipelines.dataset import rejected_lists


def test_photos_of_all_lists_are_counted_and_no_list_is_not_an_empty_one(tmp_path):
    assert rejected_lists.photos(str(tmp_path)) is None
    (tmp_path / "rejected.jsonl").touch()
    (tmp_path / "rejected-notes.jsonl").write_text("of somebody else\n")
    assert rejected_lists.photos(str(tmp_path)) == 0
    for index in range(2):
        (tmp_path / f"rejected-0000{index}-of-00002.jsonl").write_text("{}\n{}\n")
    assert rejected_lists.photos(str(tmp_path)) == 4
    assert set(rejected_lists.lists(str(tmp_path))) == {
        "rejected.jsonl",
        "rejected-00000-of-00002.jsonl",
        "rejected-00001-of-00002.jsonl",
    }
