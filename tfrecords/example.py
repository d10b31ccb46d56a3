"""One Lab example, and the bytes that it is on disk.

An example is a ``tf.train.Example`` (so that any TensorFlow program can read it) made without importing TensorFlow.

Version 1 of the record has these features:

=========== ====== ============================================================================================
luminance   bytes  S x S raw bytes, row by row; L* = code / 2.55
chroma      bytes  one grey JPEG of quality 95, 2 S rows by S columns: a above b; a, b = code - 128
height      int64  of the photo, in pixels, before it was resized to S x S
width       int64  likewise
name        bytes  UTF-8, the photo's path relative to the input
synset      bytes  the folder the photo lies in when that is a WordNet id such as n01440764; else the class of its
                   sample in a WebDataset; else empty
=========== ====== ============================================================================================

Why chroma is a JPEG and luminance is not, on 200 ImageNet photos at S = 256 (kilobytes an image, milliseconds to encode
and to decode on one core as medians of three runs, mean and 99th percentile of the error in a and b, mean error in L*):

======================= ====== ======= ======= ========= ========= =========
encoding                KB     encode  decode  ab mean   ab p99    L mean
======================= ====== ======= ======= ========= ========= =========
raw                     196.6  0.33    0.47    0.23      0.48      0.10
raw, ab at half size     98.3  0.31    0.24    0.70      4.06      0.10
PNG                      79.6  7.27    2.82    0.23      0.48      0.10
JPEG 95 for all          40.7  0.84    0.85    0.45      1.79      0.38
**raw L, JPEG 95 ab**    82.0  0.61    0.53    0.45      1.79      0.10
raw L, JPEG 98 ab        89.6  0.61    0.64    0.35      1.37      0.10
======================= ====== ======= ======= ========= ========= =========

``tests/bench/encoding_bench.py`` makes the table again.
"""

import functools
import re
from dataclasses import dataclass
from typing import Any, Self

import cv2
import numpy as np

from tfrecords import wire
from tfrecords.color import Bytes

SPEC_VERSION = 1
FEATURES: dict[str, str] = {
    "luminance": "bytes: size x size raw bytes, L* = code / 2.55",
    "chroma": "bytes: grey JPEG of 2 size x size, a above b, value = code - 128",
    "height": "int64: of the photo, in pixels",
    "width": "int64: of the photo, in pixels",
    "name": "bytes: UTF-8, path relative to the input",
    "synset": "bytes: WordNet id of the folder, or class, or empty",
}
_CHROMA_QUALITY = 95
# Of a file name that is not UTF-8, Python keeps the bytes in surrogates; so do the records, and nothing is lost.
_AS_STORED = "surrogateescape"
_SYNSET = re.compile(r"n\d{8}")


def synset_of(name: str) -> str:
    """Return the WordNet id among a relative path's folders (the innermost one), or ''."""
    folders = name.split("/")[:-1]
    return next((folder for folder in reversed(folders) if _SYNSET.fullmatch(folder)), "")


# example.proto and feature.proto of TensorFlow, as protoc compiles them: its messages without comments.
_SCHEMA = """
name: "example.proto" package: "tensorflow" syntax: "proto3"
message_type {
  name: "BytesList"
  field { name: "value" number: 1 type: TYPE_BYTES label: LABEL_REPEATED }
}
message_type {
  name: "FloatList"
  field { name: "value" number: 1 type: TYPE_FLOAT label: LABEL_REPEATED options { packed: true } }
}
message_type {
  name: "Int64List"
  field { name: "value" number: 1 type: TYPE_INT64 label: LABEL_REPEATED options { packed: true } }
}
message_type {
  name: "Feature"
  oneof_decl { name: "kind" }
  field { name: "bytes_list" number: 1 type: TYPE_MESSAGE type_name: ".tensorflow.BytesList" oneof_index: 0 }
  field { name: "float_list" number: 2 type: TYPE_MESSAGE type_name: ".tensorflow.FloatList" oneof_index: 0 }
  field { name: "int64_list" number: 3 type: TYPE_MESSAGE type_name: ".tensorflow.Int64List" oneof_index: 0 }
}
message_type {
  name: "Features"
  field {
    name: "feature" number: 1 type: TYPE_MESSAGE type_name: ".tensorflow.Features.FeatureEntry" label: LABEL_REPEATED
  }
  nested_type {
    name: "FeatureEntry" options { map_entry: true }
    field { name: "key" number: 1 type: TYPE_STRING }
    field { name: "value" number: 2 type: TYPE_MESSAGE type_name: ".tensorflow.Feature" }
  }
}
message_type {
  name: "Example"
  field { name: "features" number: 1 type: TYPE_MESSAGE type_name: ".tensorflow.Features" }
}
"""


@functools.cache
def _example_class() -> Any:
    """Return the message class ``tensorflow.Example``, without TensorFlow, which takes seconds to import.

    It is in its own pool because TensorFlow registers the same names in the default one.
    """
    # Imported here: the processes that decode photos do not read records.
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format

    pool = descriptor_pool.DescriptorPool()
    pool.Add(text_format.Parse(_SCHEMA, descriptor_pb2.FileDescriptorProto()))
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("tensorflow.Example"))


@dataclass(frozen=True, kw_only=True)
class LabExample:
    """One training example.

    Attributes:
        luminance: uint8 ``[S, S]``, L* = code / 2.55.
        chroma: uint8 ``[S, S, 2]``, a and b = code - 128.
        height: of the photo before it was resized, in pixels.
        width: of the photo before it was resized, in pixels.
        name: the photo's path relative to the input.
        synset: WordNet id of its folder, or its class, or ''.
    """

    luminance: Bytes
    chroma: Bytes
    height: int
    width: int
    name: str
    synset: str = ""

    def to_bytes(self) -> bytes:
        """Return the example as a serialized ``tf.train.Example``; the same example gives the same bytes."""
        planes = np.ascontiguousarray(self.chroma.transpose(2, 0, 1)).reshape(-1, self.chroma.shape[1])
        encoded, jpeg = cv2.imencode(".jpg", planes, [cv2.IMWRITE_JPEG_QUALITY, _CHROMA_QUALITY])
        if not encoded:
            raise ValueError(f"chroma of {self.name} could not be encoded")
        return wire.serialized(
            {
                "luminance": self.luminance.tobytes(),
                "chroma": jpeg.tobytes(),
                "height": self.height,
                "width": self.width,
                "name": self.name.encode(errors=_AS_STORED),
                "synset": self.synset.encode(),
            }
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Return the example that ``to_bytes`` wrote.

        Raises:
            ValueError: the bytes are not such an example.
        """
        try:
            feature = _example_class().FromString(data).features.feature
            jpeg = np.frombuffer(feature["chroma"].bytes_list.value[0], np.uint8)
            planes = np.asarray(cv2.imdecode(jpeg, cv2.IMREAD_GRAYSCALE))
            size = planes.shape[1]
            luminance = np.frombuffer(feature["luminance"].bytes_list.value[0], np.uint8).reshape(size, size)
            return cls(
                luminance=luminance,
                chroma=np.ascontiguousarray(planes.reshape(2, size, size).transpose(1, 2, 0)),
                height=feature["height"].int64_list.value[0],
                width=feature["width"].int64_list.value[0],
                name=feature["name"].bytes_list.value[0].decode(errors=_AS_STORED),
                synset=feature["synset"].bytes_list.value[0].decode(),
            )
        except Exception as error:
            raise ValueError(f"not a Lab example of spec version {SPEC_VERSION}: {error}") from error
