"""Fill a bag: copy its files while they are compared with their records, and seal it when all are there."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from pipelines.archive.manifest import Record
from pipelines.delivery import bags, iiif, premis, table
from pipelines.delivery.bags import Bag, Item
from pipelines.delivery.told import Told
from pipelines.errors import Rejected
from pipelines.files import contents, storage
from pipelines.files.listings import Branch
from pipelines.files.sources import Source, files
from pipelines.runtime.worker_pool import WorkerPool
from tfrecords.errors import UserError

_SEAL, _PLAN = "tagmanifest-sha256.txt", "Autochrome-Plan"


@dataclass(frozen=True, kw_only=True)
class Packed:
    """The result for a bag.

    Attributes:
        bag: with the photos that are in it.
        is_found: whether it was complete before.
        faults: what stood in the way of the others, one line each.
    """

    bag: Bag
    is_found: bool = False
    faults: tuple[str, ...] = ()


def pack(bag: Bag, folder: str, to: str, told: Told, pool: WorkerPool[str | Item]) -> Packed:
    """Fill one bag. A bag that is complete stays, and one that is not, or lost a file since, is filled again.

    Args:
        bag: to fill.
        folder: the output of `autochrome colorize`.
        to: the folder of the bags.
        told: what its documents say.
        pool: of threads that copy.

    Raises:
        UserError: there is another bag in its place.
        WorldError: a disk or a bucket fails.
    """
    root = storage.join(to, bag.name)
    info = {_PLAN: bags.plan(bag, told.url)}
    tags = _tags(bag, told, info)
    there = storage.read_if_there(storage.join(root, "bag-info.txt"))
    if there is not None and f"{_PLAN}: {info[_PLAN]}\n".encode() not in there:
        raise UserError(f"{root} was made of other photos or with other flags; give another folder, or remove it first")
    if storage.read_if_there(storage.join(root, _SEAL)) == tags[_SEAL] and _is_whole(bag, root, tags):
        return Packed(bag=bag, is_found=True)
    if there is not None:
        storage.remove([storage.join(root, _SEAL)])  # of a run from which photos were left out
    storage.write_in(root, "bag-info.txt", tags["bag-info.txt"])  # first, so that the bag is known if this is killed
    results = list(_copied(bag, folder, root, pool))
    items = sorted((one for one in results if isinstance(one, Item)), key=lambda item: item.name)
    filled = replace(bag, items=tuple(items))
    final = _tags(filled, told, info) if items else {}
    planned = [file.path for file in bag.payload()]
    kept = {file.path for file in filled.payload()}.union(final)
    # An earlier run may have copied photos that are now left out.
    storage.remove([storage.join(root, path) for path in (*planned, *tags) if path not in kept])
    for path, data in final.items():
        storage.write_in(root, path, data)
    return Packed(bag=filled, faults=tuple(sorted(one for one in results if isinstance(one, str))))


def _is_whole(bag: Bag, root: str, tags: dict[str, bytes]) -> bool:
    """Return whether all files of a sealed bag are there with their sizes; a validator compares their bytes."""
    wanted = {file.path: file.bytes for file in bag.payload()} | {path: len(data) for path, data in tags.items()}
    there = {file.uri: file.size for file in files(Branch(path=root), root)}
    return all(there.get(storage.join(root, path)) == size for path, size in wanted.items())


def _tags(bag: Bag, told: Told, info: dict[str, str]) -> dict[str, bytes]:
    items = sorted(bag.items, key=lambda item: item.name)
    documents = {"metadata/photos.csv": table.document(items, told)}
    for item in items:
        documents[f"metadata/premis/{item.name}.xml"] = premis.document(item, told)
        if told.url:
            path = f"metadata/iiif/{item.name}.json"
            documents[path] = iiif.document(item, bag.name, path, told)
    return bags.tag_files(replace(bag, items=tuple(items)), documents, info)


def _copied(bag: Bag, folder: str, root: str, pool: WorkerPool[str | Item]) -> Iterator[str | Item]:
    for item in bag.items:
        work: Callable[[], Any] = partial(_copy, item, folder, root, bag.has_scans)
        yield from pool.add(work, work)
    yield from pool.rest()


def _copy(item: Item, folder: str, root: str, has_scans: bool) -> str | Item:
    """Copy the files of a photo, all or none; return the photo, or what stands in the way."""
    found: dict[str, bytes] = {}
    for name, file in item.files.items():
        data = storage.read_if_there(storage.join(folder, name))
        if data is None or contents.sha256(data) != file.sha256:
            return f"{name} {'is missing' if data is None else 'has changed since it was recorded'}"
        found[file.path] = data
    if has_scans:
        try:
            data = _source(item.record).read()
        except Rejected as verdict:
            return f"the scan {item.record.name} cannot be read: {verdict.detail}"
        if contents.sha256(data) != item.scan.sha256:
            return f"the scan {item.record.name} has changed since it was recorded"
        found[item.scan.path] = data
    for path, data in found.items():
        storage.write_in(root, path, data)
    return item


def _source(record: Record) -> Source:
    return Source(
        uri=record.uri, name=record.name, size=record.bytes, fingerprint=record.fingerprint, offset=record.offset
    )


def packed(
    records: Iterable[Record], folder: str, to: str, told: Told, pool: WorkerPool[str | Item], **limits: Any
) -> Iterator[Packed]:
    """Fill all bags, one after the other; `limits` are those of `pipelines.delivery.bags.divided`."""
    for bag in bags.divided(records, **limits):
        yield pack(bag, folder, to, told, pool)


def beyond(to: str, number: int) -> str:
    """Return the bag of an earlier delivery that would follow the last bag of this one; '' if there is none."""
    root = storage.join(to, bags.name_of(number + 1))
    return root if storage.read_if_there(storage.join(root, "bag-info.txt")) is not None else ""
