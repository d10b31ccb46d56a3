"""IPTC's vocabulary of digital source types, with which photos are marked. Imports nothing: `--help` needs it."""

IPTC_TERMS = "http://cv.iptc.org/newscodes/digitalsourcetype/"
COMPOSITE = IPTC_TERMS + "compositeWithTrainedAlgorithmicMedia"
BY_MACHINE = (COMPOSITE, IPTC_TERMS + "trainedAlgorithmicMedia")
"""What a picture says if a trained model made it or a part of it."""
