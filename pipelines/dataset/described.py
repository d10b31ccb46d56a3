"""Read the description of a set of records, or say why there is none."""

from pipelines.dataset.sharding import PARTITIONS_FILE
from pipelines.files import storage
from tfrecords.description import FILE_NAME, Description


def described(folder: str) -> Description:
    """Return the description of a folder of records.

    Raises:
        UserError: there is none, some partitions of the set are missing, or it is not one of ours.
        WorldError: it cannot be read.
    """
    data = storage.read_if_there(storage.join(folder, FILE_NAME))
    if data is None and storage.size(storage.join(folder, PARTITIONS_FILE)) >= 0:
        from pipelines.dataset import partitions  # imports Beam

        partitions.check_complete(folder)
    return Description.of_folder(folder, data)
