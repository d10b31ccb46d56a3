"""A photo as its record describes it, for the documents of a delivery."""

from dataclasses import replace

from pipelines.archive.manifest import Output, Record
from pipelines.delivery import bags
from pipelines.delivery.bags import Item
from pipelines.delivery.told import Told

TOLD = Told(source_types={}, url="https://archive.example/bags")
OUTPUT = Output(
    name="box 1/mill.jpg",
    page=1,
    width=3000,
    height=2000,
    bytes=1_234_567,
    sha256="c01042" + 58 * "0",
    tone="grayscale",
    colourfulness=21.5,
    fingerprint="1234567-1795600000000000000-1795600000000000000",
)
RECORD = Record(
    name="box 1/mill.jpg",
    uri="/archive/scans/box 1/mill.jpg",
    offset=None,
    fingerprint="765432-1",
    status="written",
    bytes=765_432,
    sha256="5ca4" + 60 * "0",
    format="JPEG",
    outputs=(OUTPUT,),
    model="released",
    model_digest="99c39c" + 58 * "0",
    settings_digest="5e771965" + 56 * "0",
    run=1,
)


def item(record: Record = RECORD) -> Item:
    [bag] = bags.divided([record], has_scans=True, photos=9, size=10**9)
    return bag.items[0]


def named(name: str, **fields: object) -> Record:
    output = replace(OUTPUT, name=name)
    return replace(RECORD, **{"name": name, "outputs": (output,), **fields})
