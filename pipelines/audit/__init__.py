"""What `detect` and `verify` are made of: what a file says about its making, and whether it is as it was written."""
