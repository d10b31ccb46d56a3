"""Each module has its own tests, in the file of the same name below tests/."""

from pathlib import Path

import pytest

PACKAGES = ("autochrome", "pipelines", "model", "tfrecords")
ELSEWHERE = {
    # Only Cloud Storage shows what these do; tests/gcs has a stand-in for it.
    "model/google_cloud.py": "tests/gcs/test_access_at_launch.py",
    "pipelines/files/bucket_reads.py": "tests/gcs/test_faults.py",
    "pipelines/files/cloud.py": "tests/gcs/test_access.py",
    "pipelines/files/holds.py": "tests/gcs/test_keeping.py",
    "pipelines/files/own_objects.py": "tests/gcs/test_own_objects.py",
    # A server of a store shows what these do.
    "pipelines/files/azure.py": "tests/stores/test_objects.py",
    "pipelines/files/azure_client.py": "tests/stores/test_launch.py",
    "pipelines/files/blobs.py": "tests/stores/test_objects.py",
    "pipelines/files/gcs.py": "tests/gcs/test_faults.py",
    "pipelines/files/s3.py": "tests/stores/test_objects.py",
    "pipelines/files/s3_client.py": "tests/stores/test_launch.py",
    "pipelines/files/store_checks.py": "tests/stores/test_launch.py",
    "pipelines/files/stores.py": "tests/stores/test_launch.py",
    # The settings show what these options do.
    "pipelines/files/store_options.py": "tests/pipelines/files/test_store_settings.py",
    # The commands show which paths their flags take.
    "pipelines/files/schemes.py": "tests/pipelines/test_cli.py",
    # Only a whole training run shows what these do.
    "model/train.py": "tests/model/test_commands.py",
    "model/evaluate.py": "tests/model/test_commands.py",
    # Only a whole job shows what these do.
    "pipelines/archive/job.py": "tests/pipelines/test_colorize.py",
    # What is done with a listing of the output shows what is listed.
    "pipelines/archive/output_files.py": "tests/pipelines/archive/test_tasks.py",
    "pipelines/audit/unrecorded.py": "tests/pipelines/test_verify.py",
    # The transform shows what its stage does.
    "pipelines/archive/stage.py": "tests/pipelines/archive/test_colorize_photos.py",
    # The commands show what these flags do.
    "pipelines/audit_flags.py": "tests/pipelines/test_flags.py",
    "pipelines/audit/apply_job.py": "tests/pipelines/test_apply.py",
    "pipelines/audit/verify_job.py": "tests/pipelines/test_verify.py",
    "pipelines/audit/detect_job.py": "tests/pipelines/test_detect.py",
    "pipelines/dataset/job.py": "tests/pipelines/test_prepare.py",
    # The colorizer and the engine that reads the file show what these do.
    "model/graph_engine.py": "tests/model/test_colorizer.py",
    "model/lite_conversion.py": "tests/model/test_lite.py",
    # An exported model shows what these functions of its graph do.
    "model/graph_photos.py": "tests/model/test_export.py",
    # The filter shows what its loops do.
    "pipelines/images/gray_kernels.py": "tests/pipelines/images/test_grayscale.py",
    "pipelines/images/color_kernels.py": "tests/pipelines/images/test_photo_area.py",
    "pipelines/images/png_kernels.py": "tests/pipelines/images/test_png_writer.py",
    # A record, and the digest in it.
    "pipelines/dataset/converted.py": "tests/pipelines/dataset/test_conversion.py",
    # A transform shows what this does.
    "pipelines/audit/in_threads.py": "tests/pipelines/audit/test_detect_marks.py",
    # The pool of processes shows what one does.
    "pipelines/runtime/photo_child.py": "tests/pipelines/runtime/test_photo_process.py",
    # The process of a local run's worker.
    "pipelines/runtime/local_worker.py": "tests/pipelines/runtime/test_local_run.py",
}


def modules(repository: Path) -> list[str]:
    """The modules with code of their own, relative to the repository."""
    found = [path for package in PACKAGES for path in (repository / package).rglob("*.py")]
    return sorted(str(path.relative_to(repository)) for path in found if path.name != "__init__.py")


def mirror(module: str) -> str:
    folder, _, name = module.rpartition("/")
    return f"tests/{folder}/test_{name}"


def test_every_module_has_a_mirror_or_a_reason(repository):
    missing = [one for one in modules(repository) if not (repository / mirror(one)).exists()]
    assert set(missing) == set(ELSEWHERE)


@pytest.mark.parametrize("path", sorted(set(ELSEWHERE.values())))
def test_the_tests_that_stand_in_for_a_mirror_are_there(repository, path):
    assert (repository / path).exists()


def test_no_module_has_more_than_300_lines(repository):
    tall = {one: len((repository / one).read_text().splitlines()) for one in modules(repository)}
    assert {one: lines for one, lines in tall.items() if lines > 300} == {}
