"""The parts of `colorize`: names, manifest, provenance, resuming, tasks, and the processing of one photo."""
