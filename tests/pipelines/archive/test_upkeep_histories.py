"""Whatever people and runs do to one photo, in any order, nobody's work is lost."""

import tempfile
from dataclasses import replace
from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st
from one_photo import RECIPES, Desk, Killed

from pipelines.archive.resume import Policy

steps = st.lists(
    st.one_of(
        st.tuples(st.just("run"), st.sampled_from(list(RECIPES)), st.sampled_from(["", "keep", "replace"])),
        st.tuples(st.just("die"), st.sampled_from(list(RECIPES)), st.sampled_from(["before", "after"])),
        st.tuples(
            st.sampled_from(["retouch", "delete", "empty", "copy"]),
            st.sampled_from(["a.jpg", "a.jpg.png", "a.jpg.p001.jpg", "a.jpg.p002.jpg", "a.jpg.p002.png"]),
            st.just(""),
        ),
        st.tuples(
            st.sampled_from(["break", "repair", "forget", "unmark", "rescan", "touch"]), st.just(""), st.just("")
        ),
    ),
    max_size=8,
)


@settings(max_examples=150)
@given(steps, st.sampled_from([1, 2]))
@example([("run", "keep", ""), ("rescan", "", ""), ("run", "keep", "")], 1)
@example([("run", "keep", ""), ("touch", "", ""), ("run", "keep", "keep")], 1)
def test_whatever_people_and_runs_do_nobody_s_work_is_lost_and_no_digest_is_forged(plan, pages):
    with tempfile.TemporaryDirectory() as folder:
        desk = Desk(Path(folder), pages)
        for number, (action, what, how) in enumerate(plan):
            path = desk.folder / what
            match action:
                case "retouch":
                    path.write_bytes(b"by hand %d" % number)
                case "delete":
                    path.unlink(missing_ok=True)
                case "empty" if path.is_file():
                    path.write_bytes(b"")
                case "copy" if path.is_file():
                    path.write_bytes(path.read_bytes())
                case "break" | "repair":
                    desk.broken = action == "break"
                    desk.records = [replace(record, sha256="") for record in desk.records]
                case "forget":
                    desk.records = []
                case "unmark":
                    desk.unmark()
                case "rescan" | "touch":
                    desk.scan(touch=action == "touch")
                case "run" | "die":
                    policy = Policy(recipe=RECIPES[what], keep_existing=how == "keep", replace_changed=how == "replace")
                    _check(desk, policy, dies=how if action == "die" else "")


def _check(desk: Desk, policy: Policy, *, dies: str) -> None:
    before = desk.contents()
    try:
        record = desk.run(policy, dies=dies)
    except Killed:
        record = None
    after = desk.contents()
    # Nothing that people made is lost, unless they asked for it, and then only where the photo belongs.
    by_hand = {name: data for name, data in before.items() if data.startswith(b"by hand")}
    lost = {name for name, data in by_hand.items() if after.get(name) != data}
    assert not lost or policy.replace_changed
    assert lost <= after.keys()
    if policy.keep_existing:
        complete = {name: data for name, data in before.items() if data}
        assert complete.keys() <= after.keys()
    if record is None:
        return
    assert desk.agrees(record)
    if record.status == "written":
        assert record.outputs
        assert {o.name: after[o.name] for o in record.outputs} == desk.files(policy.recipe, desk.task(policy))
        assert not record.was_changed
    if record.model_digest and not record.was_changed and record.status != "rejected":
        assert not any(after[output.name].startswith(b"by hand") for output in record.outputs)
    # The same run again has nothing to do.
    assert desk.run(policy) == record or policy.replace_changed
    assert desk.contents() == after
