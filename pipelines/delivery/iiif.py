"""Describe a photo as a manifest of IIIF Presentation 3, in which the scan and the colour photo are a choice."""

import json
from typing import Any
from urllib.parse import quote

from pipelines.archive.manifest import Output
from pipelines.delivery.bags import File, Item
from pipelines.delivery.told import NOTE, Told, printable
from pipelines.files import content_types

_CONTEXT = "http://iiif.io/api/presentation/3/context.json"


def document(item: Item, bag: str, path: str, told: Told) -> bytes:
    """Return the manifest of a photo, with one canvas for each colour file.

    Args:
        item: the photo.
        bag: name of the bag.
        path: of the manifest in the bag.
        told: with the address of the bags.
    """
    record, here = item.record, _address(told, bag, path)
    about = {
        "Software": "Autochrome",
        "Model": f"{record.model}, SHA-256 {record.model_digest}",
        "Digital source type": told.source_type(record.settings_digest),
    }
    manifest = {
        "@context": _CONTEXT,
        "id": here,
        "type": "Manifest",
        "label": {"none": [printable(record.name)]},
        "metadata": [{"label": _english(key), "value": {"none": [value]}} for key, value in about.items()],
        "requiredStatement": {"label": _english("Note"), "value": _english(NOTE)},
        "items": [
            _canvas(item, output, bag, f"{here}/canvas/{number}", told)
            for number, output in enumerate(item.outputs, start=1)
        ],
    }
    return json.dumps(manifest, indent=2, ensure_ascii=False).encode() + b"\n"


def _canvas(item: Item, output: Output, bag: str, here: str, told: Told) -> dict[str, Any]:
    size = {"width": output.width, "height": output.height}
    # A file that somebody changed may have been cropped: its record has the size of the file that was made.
    colour = {} if output.was_changed else {**size, "height": output.height + output.label}
    files = ((item.scan, size, "Scan"), (item.files[output.name], colour, "Colours by a machine"))
    choice = [{**_image(file, bag, told), **its, "label": _english(label)} for file, its, label in files]
    painting = {
        "id": f"{here}/painting",
        "type": "Annotation",
        "motivation": "painting",
        "body": {"type": "Choice", "items": choice},
        "target": here,
    }
    page = {"id": f"{here}/page", "type": "AnnotationPage", "items": [painting]}
    return {"id": here, "type": "Canvas", **size, "items": [page]}


def _image(file: File, bag: str, told: Told) -> dict[str, Any]:
    return {"id": _address(told, bag, file.path), "type": "Image", "format": content_types.of(file.path)}


def _address(told: Told, bag: str, path: str) -> str:
    return f"{told.url}/{quote(f'{bag}/{path}')}"


def _english(text: str) -> dict[str, list[str]]:
    return {"en": [text]}
