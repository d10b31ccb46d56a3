"""Run jobs: Beam's options and runners, worker threads, child processes, progress, outcomes."""
