import pytest

from pipelines.files import input_paths


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    for name in ("1920s/box1/a.jpg", "1920s/box2/a.jpg", "1930s/box1/a.jpg", "b.tar"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("patterns", "folders"),
    [
        (["1920s"], {"1920s": ""}),
        (["1920s/box1", "1920s/box2"], {"1920s/box1": "box1/", "1920s/box2": "box2/"}),
        (
            ["1920s/box1", "1930s/box1", "1920s/box2"],
            {"1920s/box1": "1920s/box1/", "1930s/box1": "1930s/box1/", "1920s/box2": "box2/"},
        ),
        (["1920s/box1/*.jpg", "1920s/box1/*.tif"], {"1920s/box1/*.jpg": "", "1920s/box1/*.tif": ""}),
        (["1920s/box1/a.jpg", "b.tar", "1930s"], {"1920s/box1/a.jpg": "", "b.tar": "", "1930s": ""}),
        (["gs://b/box1", "gs://c/box1"], {"gs://b/box1": "b/box1/", "gs://c/box1": "c/box1/"}),
        (["gs://b", "1930s/box1/"], {"gs://b": "b/", "1930s/box1/": "box1/"}),
        (["1930s", "./1930s/"], {"./1930s/": ""}),
    ],
)
def test_names_begin_with_what_tells_folders_apart(patterns, folders):
    found = input_paths.of(patterns)
    assert {path.pattern: path.folder for path in found} == folders
    assert {path.folder for path in input_paths.of(patterns[::-1])} == set(folders.values())


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        (["1920s", "1930s"], False),
        (["1920s/box1/a.jpg", "1930s/box1/a.jpg"], False),
        (["1920s", "1920s/box1"], True),
        (["1920s", "1920s-more", "1920s/box1"], True),
        (["1920s/box1", "1920s/box1/a.jpg"], True),
        (["1920s/*/a.jpg", "1920s/box2"], True),
        (["gs://b/x", "gs://b/x/y"], True),
        (["gs://b/x", "gs://b/xy"], False),
    ],
)
def test_paths_overlap_where_one_may_hold_a_file_of_the_other(patterns, expected):
    assert input_paths.overlap(input_paths.of(patterns)) is expected
    assert input_paths.overlap(input_paths.of(patterns[::-1])) is expected


@pytest.mark.parametrize(
    ("pattern", "output", "expected"),
    [
        ("1920s/box1/a.jpg", "1920s/box1/colour", False),
        ("1920s/box1/a.jpg", "1920s/box1", True),
        ("1920s/box1/*.jpg", "1920s/box1/colour", False),
        ("1920s/box1/*.jpg", "1920s/box1", True),
        ("1920s/*/a.jpg", "1920s/colour", True),
        ("1920s/**", "1920s/colour", True),
        ("*.jpg", "colour", False),
        ("*.jpg", ".", True),
        ("b.tar", "colour", False),
        ("1920s", "1920s/colour", True),
        ("1920s", ".", True),
        ("gs://b/x/*.jpg", "gs://b/x/colour", True),
        ("gs://b/x", "gs://b/xy", False),
    ],
)
def test_an_output_may_lie_beside_photos_but_not_among_them(pattern, output, expected):
    [path] = input_paths.of(pattern)
    assert input_paths.meets(path, output) is expected
