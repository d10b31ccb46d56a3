"""IPTC's vocabulary of digital source types, with which photos are marked. Imports nothing: `--help` needs it."""

IPTC_TERMS = "http://cv.iptc.org/newscodes/digitalsourcetype/"
COMPOSITE = IPTC_TERMS + "compositeWithTrainedAlgorithmicMedia"
