from PIL import ExifTags, TiffTags

from pipelines.images import tiff_tags

# Where libraries have other names.
OTHERS = {
    "InterColorProfile": "IccProfile",
    "XMLPacket": "Xmp",
    "IPTCNAA": "Iptc",
    "ImageResources": "Photoshop",
    "PhotometricInterpretation": "Photometric",
    "Thresholding": "Threshholding",
    "ExifOffset": "ExifIfd",
    "GPSInfo": "GpsIfd",
    "ExifInteroperabilityOffset": "InteroperabilityIfd",
    "ExifImageWidth": "PixelXDimension",
    "ExifImageHeight": "PixelYDimension",
    "JpegIFOffset": "JpegInterchangeFormat",
    "JpegIFByteCount": "JpegInterchangeFormatLength",
}
NO_TAGS = {"HORIZONTAL_DIFFERENCING", "REDUCED_OR_MASK", "INCH", "SRGB", "INTEROPERABILITY_INDEX", "UNCALIBRATED"}


def numbers() -> dict[str, int]:
    return {
        name: value
        for name, value in vars(tiff_tags).items()
        if name.isupper() and type(value) is int and name not in NO_TAGS
    }


def test_the_numbers_are_those_that_other_libraries_know():
    known = {tag: info.name for tag, info in TiffTags.TAGS_V2.items()} | {tag.value: tag.name for tag in ExifTags.Base}
    unknown = {"BAD_FAX_LINES", "CLEAN_FAX_DATA", "CONSECUTIVE_BAD_FAX_LINES"}  # of TIFF class F
    for name, number in numbers().items():
        if name not in unknown:
            expected = OTHERS.get(known[number], known[number])
            assert name.replace("_", "").lower() == expected.lower(), number


def test_no_number_has_two_names():
    assert len(set(numbers().values())) == len(numbers())


def test_the_types_have_sizes():
    assert set(tiff_tags.FieldType) == tiff_tags.SIZES.keys()
    assert tiff_tags.CODES.keys() < tiff_tags.SIZES.keys()
