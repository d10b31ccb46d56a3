import apache_beam as beam
from apache_beam.testing.util import assert_that

from pipelines.audit.detect_marks import DetectMarks, line
from pipelines.files.find_photos import FindPhotos


def test_each_file_of_a_folder_gets_one_line(tmp_path, encoded, photos):
    (tmp_path / "a.jpg").write_bytes(encoded(photos["chelsea"][:64, :64], "JPEG"))
    (tmp_path / "b.jpg").write_bytes(b"broken")

    def check(lines):
        assert sorted((one.name, one.key) for one in lines) == [("a.jpg", "unmarked"), ("b.jpg", "unreadable")]

    with beam.Pipeline(runner="FnApiRunner") as pipeline:
        assert_that(pipeline | FindPhotos(str(tmp_path)) | DetectMarks(threads=2) | beam.Map(line), check)
