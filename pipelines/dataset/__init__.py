"""What `prepare` is made of: the claim, sharding, duplicates, examples and the shards of records."""
