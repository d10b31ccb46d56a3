"""List, read and write files on local disks, in Cloud Storage and inside tars. Nothing here knows about pictures."""
