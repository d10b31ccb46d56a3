"""How a job runs: Beam's options and runners, worker threads, child processes, progress, outcomes."""
