from list_files import rows_of


def test_the_first_column_that_a_row_fills_counts():
    assert rows_of(b"id;uri;path\n1;b;c\n2;d;\n3\n\n;;\n", ".csv") == ["c", "d", "3", ""]
    assert rows_of(b'{"id": "1", "path": ""}\n"two"\n{"path": null, "uri": "u"}\n', ".jsonl") == ["1", "two", "u"]
