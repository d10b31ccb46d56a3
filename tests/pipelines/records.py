"""Records of all kinds, and one that is usual."""

from hypothesis import strategies as st

from pipelines.archive import manifest
from pipelines.archive.manifest import Left, Output, Record

OUTPUT = Output(
    name="a.jpg.png",
    page=1,
    width=640,
    height=480,
    bytes=1234,
    sha256="9f",
    tone="toned",
    colourfulness=31.2,
    fingerprint="1234-5",
)
RECORD = Record(
    name="a.jpg",
    uri="/scans/a.jpg",
    offset=None,
    fingerprint="7-1",
    status="written",
    bytes=7,
    sha256="0a",
    format="JPEG",
    outputs=(OUTPUT,),
)

texts = st.text(max_size=8) | st.text("\\udce9 \udce9ü\U0001f4f7", max_size=8)
paths = st.lists(
    st.text("a.ü~ \udce9", min_size=1, max_size=4).filter(lambda part: part not in (".", "..")), min_size=1
)
names = paths.map("/".join)
recorded = st.builds(
    Record,
    name=texts,
    uri=texts,
    offset=st.none() | st.integers(0, 2**40),
    fingerprint=texts,
    status=st.sampled_from(["written", "kept", "copied", "skipped", "rejected"]),
    reason=texts,
    detail=texts,
    outputs=st.lists(
        st.builds(
            Output,
            name=names,
            page=st.integers(1, 9),
            width=st.integers(0, 9),
            height=st.integers(0, 9),
            bytes=st.integers(0, 9),
            sha256=texts,
            tone=texts,
            colourfulness=st.none() | st.floats(0, 99),
            made_sha256=texts,
            unsigned_sha256=texts,
            picture=st.none() | st.tuples(*4 * [st.integers(0, 99)]),
            label=st.integers(0, 9),
        ),
        max_size=2,
    ).map(tuple),
    saturation=st.floats(0, 4),
    color_space=st.sampled_from(["srgb", "adobe_rgb"]),
    guided=st.dictionaries(st.sampled_from(["hints", "saturation"]), texts | st.floats(0, 4), max_size=2),
    run=st.integers(0, 9),
    warnings=st.lists(texts, max_size=2).map(tuple),
    left=st.lists(st.builds(Left, names, texts), max_size=2).map(tuple),
    milliseconds=st.dictionaries(st.sampled_from(manifest.STAGES), st.floats(0, 1e6)),
    at=st.integers(0, 2**62),
)
