"""The contract between the programs: what one Lab example is, colour science, record files, their description."""
