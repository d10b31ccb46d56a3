import pytest

from pipelines.images.formats import output_format, output_name


@pytest.mark.parametrize(
    ("choice", "source", "expected"),
    [
        ("keep", "JPEG", "JPEG"),
        ("keep", "MPO", "JPEG"),
        ("keep", "TIFF", "TIFF"),
        ("keep", "WEBP", "WEBP"),
        ("keep", "GIF", "PNG"),
        ("keep", "BMP", "PNG"),
        ("png", "JPEG", "PNG"),
        ("jpeg", "GIF", "JPEG"),
        ("tiff", "JPEG", "TIFF"),
    ],
)
def test_output_format(choice, source, expected):
    assert output_format(choice, source) == expected


@pytest.mark.parametrize(
    ("name", "file_format", "expected"),
    [
        ("a/b.jpg", "JPEG", "a/b.jpg"),
        ("a/b.JPEG", "JPEG", "a/b.JPEG"),
        ("a/b.jpg", "PNG", "a/b.jpg.png"),
        ("scan.bmp", "PNG", "scan.bmp.png"),
        ("scan.TIF", "TIFF", "scan.TIF"),
        ("ohne", "JPEG", "ohne.jpg"),
        ("a.png/b", "PNG", "a.png/b.png"),
        ("x.webp", "TIFF", "x.webp.tif"),
    ],
)
def test_output_name(name, file_format, expected):
    assert output_name(name, file_format) == expected
