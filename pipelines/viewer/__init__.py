"""What `report` is made of: the summary, the HTML page, its thumbnails and its assets."""
