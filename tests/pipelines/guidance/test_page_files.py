from pipelines.guidance.page_files import packed, unpacked


def test_files_of_pages_travel_as_one_and_a_single_file_as_it_is():
    files = {2: b"\x89PNG\0", 17: b"[]"}
    assert unpacked(packed(files)) == files
    assert unpacked(b"[]") == {1: b"[]"}
