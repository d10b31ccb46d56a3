"""Bytes of files to upright sRGB pixels with metadata, and back. Knows neither Beam nor storage."""
