import copy

from apache_beam.options.pipeline_options import DebugOptions, StandardOptions, TypeOptions

from pipelines.runtime.option_views import Options


def test_views_are_made_once_and_show_what_another_one_changed():
    options = Options(["--runner=FlinkRunner", "--experiments=a"])
    view = options.view_as(StandardOptions)
    assert options.view_as(StandardOptions) is view
    assert view.runner == "FlinkRunner"
    view.view_as(StandardOptions).runner = "DirectRunner"
    assert view.runner == "DirectRunner"
    assert options.get_all_options()["runner"] == "DirectRunner"


def test_a_copy_has_options_of_its_own():
    options = Options(["--experiments=a"])
    options.view_as(TypeOptions).runtime_type_check = True
    other = copy.deepcopy(options)
    other.view_as(TypeOptions).runtime_type_check = False
    other.view_as(DebugOptions).experiments = ["b"]
    assert options.view_as(TypeOptions).runtime_type_check
    assert options.view_as(DebugOptions).experiments == ["a"]
    assert other.view_as(DebugOptions).experiments == ["b"]
