"""A flat folder of Cloud Storage is listed in ranges of names."""

import flat_folders


def test_a_flat_folder_is_listed_in_ranges_and_each_name_is_there_once(usual_cloud):
    bucket = usual_cloud.itself
    for name in flat_folders.NAMES:
        bucket.blob(f"flat/{name}").upload_from_string(b"")
    flat_folders.check(usual_cloud.uri("flat"), lambda name: bucket.blob(f"flat/{name}").upload_from_string(b""))
