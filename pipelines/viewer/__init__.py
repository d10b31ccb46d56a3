"""The parts of `report`: the summary, the HTML page, its thumbnails and its assets."""
