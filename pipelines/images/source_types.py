"""IPTC's vocabulary of digital source types: what photos are marked as. Imports nothing, as `--help` needs it."""

IPTC_TERMS = "http://cv.iptc.org/newscodes/digitalsourcetype/"
COMPOSITE = IPTC_TERMS + "compositeWithTrainedAlgorithmicMedia"
