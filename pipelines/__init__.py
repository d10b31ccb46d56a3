"""The two Beam jobs, prepare and colorize, what they share, and the command line."""
