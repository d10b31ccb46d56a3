"""The parts of `prepare`: claim, sharding, duplicates, examples, and the shards of records."""
