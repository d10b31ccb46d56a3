"""Records of more than two fields are keyword-only: a field more or less never moves the others."""

import dataclasses
import importlib
import inspect
import pkgutil

import apache_beam as beam
import pytest

import autochrome
import model
import pipelines
import tfrecords

PACKAGES = (autochrome, model, pipelines, tfrecords)
MODULES = [
    *(package.__name__ for package in PACKAGES),
    *(found.name for package in PACKAGES for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")),
]


@pytest.mark.parametrize("name", MODULES)
def test_records_of_more_than_two_fields_are_keyword_only(name):
    module = importlib.import_module(name)
    for record in vars(module).values():
        if inspect.isclass(record) and record.__module__ == name and dataclasses.is_dataclass(record):
            fields = [field for field in dataclasses.fields(record) if field.init]
            positional = [field.name for field in fields if not field.kw_only]
            assert len(positional) <= 2, record
            assert not positional or len(fields) <= 2 or issubclass(record, beam.PTransform), record
