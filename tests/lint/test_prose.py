"""The check of words finds what it should, and leaves code alone."""

import prose
import pytest


@pytest.mark.parametrize(
    ("path", "text", "line"),
    [
        ("a.md", "One.\n\nStart anew.\n", 3),
        ("a.py", "# Photos come in so\n# many sizes.\n", 1),
        ("a.py", "def test_what_a_user_can_mend(): ...\n", 1),
        ("a.json", '{"help": "A file that is no photo."}', 1),
        ("a.js", "const a = 1;\n// Of whom?\n", 2),
        ("a.md", "The behavior of `color`.\n", 1),
        ("a.py", '"""One.\n\nThe center of it.\n"""\n', 3),
        ("a.py", "a = 1\nb = 2  # gray photos\n", 2),
    ],
)
def test_words_to_avoid_and_american_spellings_are_found(path, text, line):
    [found] = prose.findings(path, text)
    assert found.startswith(f"{path}:{line}: ")
    assert " ==> " in found


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.md", "Amend the commit; recommend it. A file that is no longer there.\n"),
        ("a.md", "A tone is `color`:\n\n    color: red\n\n```\nthe center\n```\n"),
        (
            "a.py",
            'def color(center: int) -> int:\n    """Return `center` of "gray" color.py."""\n    return center\n',
        ),
        ("a.js", "const color = center;\n"),
        ("a.md", "Colorize, organize, analyze: Oxford spelling.\n"),
    ],
)
def test_good_english_and_code_pass(path, text):
    assert prose.findings(path, text) == []


def test_findings_end_a_run_with_1(tmp_path, capsys):
    bad, picture = tmp_path / "bad.md", tmp_path / "picture.bin"
    bad.write_text("Start anew.\n")
    picture.write_bytes(b"\xff anew")
    assert prose.main([str(bad), str(picture)]) == 1
    assert capsys.readouterr().out == f"{bad}:1: anew ==> again, from the start\n"
    assert prose.main([str(picture)]) == 0
