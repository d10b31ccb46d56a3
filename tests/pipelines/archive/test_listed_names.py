from pipelines.archive.listed_names import ListedNames


def test_names_are_found_with_and_without_the_number_of_a_page_in_the_order_of_the_listing():
    names = ListedNames.of(["scan.p002.png", "b.png", "scan.p001.png", "scan.png", "scan.p001.jpg"])
    assert names.like(["scan.png", "gone.png"]) == ["scan.p002.png", "scan.p001.png", "scan.png"]
    assert names.like(["scan.p001.png", "b.png"]) == ["b.png", "scan.p001.png"]
    assert names.like([]) == []
