import unicodedata

import pytest

from pipelines.viewer import search_index
from pipelines.viewer.search_index import SearchIndex, file_of, words_of


def test_words_are_runs_of_letters_and_digits_in_lower_case_without_accents():
    decomposed = unicodedata.normalize("NFD", "Café")
    assert words_of(f"Box 17/{decomposed}_0042.TIF") == {"box", "17", "cafe", "0042", "tif"}
    assert words_of("Été à Łódź 한글 हिन्दी") == words_of("ete a łodz 한글 हिन्दी") > {"ete", "a", "łodz", "한글"}
    assert words_of("caf\udce9.jpg") == {"caf", "jpg"}
    assert words_of("a" * 100) == {"a" * 64}


def test_each_word_leads_to_the_files_of_names_that_have_it(monkeypatch):
    monkeypatch.setattr(search_index, "SEARCHED_WHOLE", 10)
    monkeypatch.setattr(search_index, "_WORDS_PER_FILE", 40)
    monkeypatch.setattr(search_index, "_TEMPORARY", 4)
    names = [[f"box {part}/photo {part}{number:02d}.jpg" for number in range(100)] for part in range(1, 4)]
    with SearchIndex(300) as index:
        for number, part in enumerate(names, start=1):
            index.add(number, part)
        found = dict(index.contents())
    assert sorted(found) == list(range(1, 9))
    for word, numbers in {"photo": [1, 2, 3], "2": [2], "317": [3], "100": [1]}.items():
        assert found[file_of(word, 8)][word] == numbers
    assert sum(map(len, found.values())) == len(set().union(*(words_of(name) for part in names for name in part)))


@pytest.mark.parametrize("photos", [0, 100_000])
def test_few_names_are_searched_without_an_index(photos):
    with SearchIndex(photos) as index:
        index.add(1, ["a.jpg"])
        assert (index.files, list(index.contents())) == (0, [])
