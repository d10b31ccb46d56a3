"""Networks, losses, metrics, the distributed trainer, export, and the colorizer that uses a SavedModel."""
