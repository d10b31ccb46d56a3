"""Where bytes live: local disks, Cloud Storage, tars. Lists, reads and writes; knows nothing of pictures."""
