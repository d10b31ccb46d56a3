"""What guides the colours of an archive: the files in which people say it, and which of them a photo meets."""
