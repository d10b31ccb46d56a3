"""What Beam remembers about DoFns is what it finds in them."""

from typing import Any

import apache_beam as beam
import pytest
from apache_beam.coders import VarIntCoder
from apache_beam.transforms import userstate
from apache_beam.transforms.core import CallableWrapperDoFn
from apache_beam.transforms.userstate import ReadModifyWriteStateSpec

from pipelines.runtime import beam_specs

STATE = ReadModifyWriteStateSpec("last", VarIntCoder())
LAST = beam.DoFn.StateParam(STATE)


class Plain(beam.DoFn):
    def process(self, element: int) -> Any:
        yield element


class WithState(beam.DoFn):
    def process(self, element: int, last: Any = LAST) -> Any:
        yield element


class Holder:
    def plain(self, element: int) -> list[int]:
        return [element]

    def with_state(self, element: int, last: Any = LAST) -> list[int]:
        return [element]


def dofns() -> list[beam.DoFn]:
    wrapped = [CallableWrapperDoFn(fn) for fn in (Holder().plain, Holder().with_state, Holder().plain, len)]
    return [Plain(), WithState(), Plain(), WithState(), *wrapped]


def test_remembered_specs_are_those_that_beam_finds():
    expected = [userstate.get_dofn_specs(dofn) for dofn in dofns()]
    assert ({STATE}, set()) in expected
    with beam_specs.remembered():
        for _ in range(2):
            assert [userstate.get_dofn_specs(dofn) for dofn in dofns()] == expected


def test_beam_is_as_before_afterwards():
    before = userstate.get_dofn_specs
    with beam_specs.remembered():
        assert userstate.get_dofn_specs is not before
    with pytest.raises(ZeroDivisionError), beam_specs.remembered():
        1 / 0  # noqa: B018
    assert userstate.get_dofn_specs is before


def test_beam_is_as_before_after_two_jobs_that_overlap():
    before = userstate.get_dofn_specs
    one, two = beam_specs.remembered(), beam_specs.remembered()
    for job in (one, two):
        job.__enter__()
    for job in (one, two):
        job.__exit__(None, None, None)
    assert userstate.get_dofn_specs is before


def test_each_kind_of_dofn_is_inspected_once(monkeypatch):
    inspected = []
    monkeypatch.setattr(userstate, "get_dofn_specs", userstate.get_dofn_specs)  # to put it back
    monkeypatch.setattr(beam_specs, "_inspect", lambda dofn: inspected.append(dofn) or (set(), set()))
    with beam_specs.remembered():
        for dofn in (Plain(), Plain(), CallableWrapperDoFn(len), CallableWrapperDoFn(lambda element: [element])):
            userstate.get_dofn_specs(dofn)
    assert len(inspected) == 2
