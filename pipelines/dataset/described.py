"""Read the description of a set of records, or say why there is none."""

from pipelines.files import storage
from tfrecords.description import FILE_NAME, Description


def described(folder: str) -> Description:
    """Return the description of a folder of records.

    Raises:
        UserError: there is none, some partitions of the set are missing, or it is not one of ours.
        WorldError: it cannot be read.
    """
    data = storage.read_if_there(storage.join(folder, FILE_NAME))
    if data is None:
        # Imports Beam, which a set that is complete does not need.
        from pipelines.dataset import partitions

        partitions.check_complete(folder)
    return Description.of_folder(folder, data)
