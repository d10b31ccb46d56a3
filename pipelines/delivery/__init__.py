"""What `deliver` is made of: bags of colour photos, with PREMIS, IIIF manifests and a table for each."""
