"""What `colorize` is made of: naming, manifest, provenance, resuming, tasks and one photo's way through."""
