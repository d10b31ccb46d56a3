"""All files that a run of `colorize` writes about its records."""

from pathlib import Path

from pipelines.archive import record_files, report_file, run_list
from pipelines.archive.manifest import LAST_RUN_FILE, REPORT_FILE, Record
from pipelines.archive.provenance import Recipe, Settings
from pipelines.archive.shards import ManifestWriter
from pipelines.runtime.outcomes import REJECTED_FILE, tally, to_jsonl

_RECIPE = Recipe(model="m", model_digest="ab" * 32, settings=Settings(), settings_digest=Settings().digest())


def write_manifest(folder: Path, records: list[Record], recipe: Recipe = _RECIPE) -> None:
    """Write them into a folder, in one shard."""
    run_list.begin(str(folder), recipe)
    name, data = ManifestWriter(output=str(folder), shards=1).write(0, records)
    first = min((record.name for record in records), default="")
    record_files.write_index(str(folder), [record_files.entry(name, len(records), data, first)])
    outcomes = [record.outcome() for record in records]
    counts = tally(outcomes) | {"ignored": 2}
    (folder / REPORT_FILE).write_bytes(report_file.summary(counts.items(), recipe.made_with()))
    (folder / REJECTED_FILE).write_bytes(to_jsonl(one for one in outcomes if one.status == "rejected"))
    (folder / LAST_RUN_FILE).write_text("{}\n")
