"""Whatever was recorded and whatever is in the output, a photo has one task, and no digest is forged."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from one_task import RECIPE, SETTINGS, SOURCE, listing

from pipelines.archive.manifest import Output, Record
from pipelines.archive.resume import Policy, tasks


def natural(record: Record) -> Record:
    """The nearest record that a run could have written."""
    if record.was_changed or not record.model_digest:
        return replace(record, status="kept")
    return replace(record, outputs=()) if record.status in ("skipped", "rejected") else record


fingerprints = st.sampled_from(["", "1234-1-1", "1234-2-2", "9-3-3"])


outputs = st.builds(
    Output,
    name=st.sampled_from(["a.jpg", "a.jpg.png", "a.jpg.p001.png", "a.jpg.p002.png"]),
    page=st.just(1),
    width=st.just(640),
    height=st.just(480),
    bytes=st.sampled_from([9, 1234]),
    sha256=st.sampled_from(["9f", "ab"]),
    tone=st.just("toned"),
    colourfulness=st.just(31.2),
    made_sha256=st.sampled_from(["", "9f"]),
    fingerprint=fingerprints,
)


records = st.builds(
    Record,
    name=st.just("a.jpg"),
    uri=st.just("/scans/a.jpg"),
    offset=st.none(),
    fingerprint=st.sampled_from(["7-1", "6-0"]),
    status=st.sampled_from(["written", "kept", "copied", "skipped", "rejected"]),
    reason=st.sampled_from(["", "unreadable", "timed_out"]),
    detail=st.just(""),
    bytes=st.just(7),
    sha256=st.sampled_from(["", "0a"]),
    format=st.sampled_from(["JPEG", "BMP"]),
    outputs=st.lists(outputs, max_size=2).map(tuple),
    model=st.just("unet"),
    model_digest=st.sampled_from(["", "m0", "m1"]),
    settings_digest=st.sampled_from([SETTINGS.digest(), "s0"]),
    run=st.integers(1, 3),
    at=st.integers(0, 5),
    pending=st.booleans(),
).map(natural)


listings = st.dictionaries(
    st.sampled_from(["a.jpg", "a.jpg.png", "a.jpg.p001.png", "a.jpg.p002.png", "b.jpg"]), fingerprints.filter(bool)
)


@given(st.lists(records, max_size=3), listings, st.booleans(), st.booleans())
def test_whatever_was_recorded_and_is_there_a_photo_has_one_task_that_forges_nothing(found, there, keep, again):
    [task] = tasks(
        [SOURCE], found, listing(there), Policy(recipe=RECIPE, keep_existing=keep and not again, replace_changed=again)
    )
    assert {file.name for file in task.files} <= there.keys() - {"b.jpg"}
    written = {digest for record in found for digest in record.made_digests.values()}
    assert {digest for file in task.files for digest in file.digests} <= written
    if task.existing is None:
        return
    # Only a photo whose files are listed needs nothing, and without a look only if nobody touched them.
    for output in task.existing.outputs:
        assert output.name in there
        if not task.needs_check and output.fingerprint:
            assert there[output.name] == output.fingerprint
    if task.existing.status in ("written", "copied"):
        assert task.existing.model_digest == "m1"
        assert not task.existing.was_changed
    if again:
        assert not task.existing.was_changed
