import ast
from pathlib import Path

from pipelines.images import source_types


def test_the_default_is_a_term_of_iptc():
    assert source_types.COMPOSITE.removeprefix(source_types.IPTC_TERMS) == "compositeWithTrainedAlgorithmicMedia"


def test_help_needs_no_imports_for_it():
    tree = ast.parse(Path(source_types.__file__).read_text())
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
