"""Paths that are addresses."""


def is_remote(path: str) -> bool:
    """Tell whether a path has a scheme, such as ``gs://``: files there appear whole, and folders cannot be renamed."""
    return "://" in path
