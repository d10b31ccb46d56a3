"""Describe a photo in PREMIS 3: its files are objects, what happened to them events, software and model agents."""

import uuid
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from pipelines.archive.manifest import Output, Record
from pipelines.archive.written_names import CHROMA_ENDING
from pipelines.delivery.bags import File, Item
from pipelines.delivery.told import NOTE, Told, guided_by, printable, written_at
from pipelines.images.formats import format_of

_SPACE = "http://www.loc.gov/premis/v3"
_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
_UNKNOWN = "XXXX"  # a date, in the Extended Date/Time Format
_SOFTWARE = "Autochrome"
ElementTree.register_namespace("premis", _SPACE)


def document(item: Item, told: Told) -> bytes:
    """Return the PREMIS file of a photo; equal records give equal bytes."""
    record = item.record
    root = Element(f"{{{_SPACE}}}premis", version="3.0")
    _object(root, item.scan, record.name, record.format)
    for output in item.outputs:
        file = item.files[output.name]
        made = _object(root, file, output.name, _format(output, record))
        relationship = _add(made, "relationship")
        _add(relationship, "relationshipType", "derivation")
        _add(relationship, "relationshipSubType", "has source")
        _identify(_add(relationship, "relatedObjectIdentifier"), "relatedObject", "path in bag", item.scan.path)
        _identify(_add(relationship, "relatedEventIdentifier"), "relatedEvent", "UUID", _event_id(file))
    for output in item.outputs:
        _event(root, item, output, told)
    if record.model_digest:
        _agent(root, _SOFTWARE, _SOFTWARE)
        _agent(root, record.model_digest, f"{_SOFTWARE}, model {record.model}", record.model_digest)
    ElementTree.indent(root)
    data: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return data + b"\n"


def _object(root: Element, file: File, name: str, file_format: str) -> Element:
    made = _add(root, "object")
    made.set(_TYPE, "premis:file")
    _identify(_add(made, "objectIdentifier"), "object", "path in bag", file.path)
    about = _add(made, "objectCharacteristics")
    fixity = _add(about, "fixity")
    _add(fixity, "messageDigestAlgorithm", "SHA-256")
    _add(fixity, "messageDigest", file.sha256)
    _add(about, "size", str(file.bytes))
    _add(_add(_add(about, "format"), "formatDesignation"), "formatName", file_format or "unknown")
    _add(made, "originalName", name)
    return made


def _event(root: Element, item: Item, output: Output, told: Told) -> None:
    record, file = item.record, item.files[output.name]
    event = _add(root, "event")
    _identify(_add(event, "eventIdentifier"), "event", "UUID", _event_id(file))
    _add(event, "eventType", "creation" if record.model_digest and not _is_copy(record, output) else "replication")
    _add(event, "eventDateTime", written_at(output) or _UNKNOWN)
    if record.model_digest and not _is_copy(record, output):
        _add(_add(event, "eventDetailInformation"), "eventDetail", _detail(record, output, told))
    outcome = _add(event, "eventOutcomeInformation")
    _add(outcome, "eventOutcome", record.status)
    for warning in record.warnings:
        _add(_add(outcome, "eventOutcomeDetail"), "eventOutcomeDetailNote", warning)
    if record.model_digest:
        for agent, role in ((_SOFTWARE, "executing program"), (record.model_digest, "model")):
            _identify(linking := _add(event, "linkingAgentIdentifier"), "linkingAgent", "local", agent)
            _add(linking, "linkingAgentRole", role)
    for path, role in ((item.scan.path, "source"), (file.path, "outcome")):
        _identify(linking := _add(event, "linkingObjectIdentifier"), "linkingObject", "path in bag", path)
        _add(linking, "linkingObjectRole", role)


def _format(output: Output, record: Record) -> str:
    if output.name.endswith(CHROMA_ENDING):
        return "Autochrome chroma"
    return (format_of(output.name) or record.format).upper()


def _is_copy(record: Record, output: Output) -> bool:
    return output.sha256 == record.sha256


def _detail(record: Record, output: Output, told: Told) -> str:
    guided = f" Guided by {', '.join(kinds)}." if (kinds := guided_by(record)) else ""
    changed = " Somebody changed the file since." if output.was_changed else ""
    made = f" Settings {record.settings_digest}, digital source type {told.source_type(record.settings_digest)}."
    return f"A model predicted the colours; luminance is that of the scan. {NOTE}{guided}{changed}{made}"


def _agent(root: Element, identifier: str, name: str, version: str = "") -> None:
    agent = _add(root, "agent")
    _identify(_add(agent, "agentIdentifier"), "agent", "local", identifier)
    _add(agent, "agentName", name)
    _add(agent, "agentType", "software")
    if version:
        _add(agent, "agentVersion", version)


def _event_id(file: File) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"autochrome {file.path} {file.sha256}"))


def _identify(element: Element, prefix: str, kind: str, value: str) -> None:
    _add(element, f"{prefix}IdentifierType", kind)
    _add(element, f"{prefix}IdentifierValue", value)


def _add(parent: Element, name: str, text: str = "") -> Element:
    child = SubElement(parent, f"{{{_SPACE}}}{name}")
    if text:
        child.text = printable(text)
    return child
