"""Guided colorization on arrays: what a person says about the colours of a photo, joined with a model's prediction."""
