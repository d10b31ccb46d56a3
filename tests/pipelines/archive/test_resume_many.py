"""Many photos: what one change makes again, and how the work grows."""

from dataclasses import replace

import pytest
from one_task import OUTPUT, RECIPE, RECORD, SOURCE, listing

from pipelines.archive import resume
from pipelines.archive.resume import Policy, tasks
from pipelines.guidance.hint_files import HintFile
from pipelines.guidance.plan import Plan


def test_one_changed_hint_of_a_thousand_makes_one_photo_again():
    names = [f"{number}.jpg" for number in range(1000)]
    files = {name: HintFile(name=f"{name}.hints.png", sha256="0", uri=f"/hints/{name}") for name in names}
    plan = Plan(hints=files)
    sources = [replace(SOURCE, name=name, uri=f"/scans/{name}") for name in names]
    records = [
        replace(RECORD, name=name, guided=plan.of(name).told(), outputs=(replace(OUTPUT, name=name),)) for name in names
    ]
    changed = replace(plan, hints={**files, "7.jpg": replace(files["7.jpg"], sha256="1")})
    for recipe, expected in ((replace(RECIPE, plan=plan), []), (replace(RECIPE, plan=changed), ["7.jpg"])):
        made = []
        for source, record in zip(sources, records, strict=True):
            [task] = tasks([source], [record], listing({source.name: "1234-1-1"}), Policy(recipe=recipe))
            made += [source.name] if task.existing is None else []
        assert made == expected


@pytest.mark.parametrize("pages", [200, 2_000])
def test_a_book_of_many_pages_takes_time_that_grows_with_its_pages(pages, monkeypatch):
    """All pages are one family. What is counted are the names that are compared for each page."""
    names = sorted(f"book/scan.p{page:03d}.png" for page in range(pages))
    sources = [replace(SOURCE, name=name, uri=f"/scans/{name}") for name in names]
    there = listing(dict.fromkeys(names, "1234-1-1"))
    compared = []
    real = resume.without_page
    monkeypatch.setattr(resume, "without_page", lambda name: compared.append(name) or real(name))
    made = list(tasks(sources, [], there, Policy(recipe=RECIPE)))
    assert [[file.name for file in task.files] for task in made] == [[name] for name in names]
    assert len(compared) < 5 * pages
