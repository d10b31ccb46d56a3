from dataclasses import replace
from xml.etree import ElementTree

from deliveries import OUTPUT, RECORD, TOLD, item, named

from pipelines.delivery import premis

SPACE = {"p": "http://www.loc.gov/premis/v3"}


def parsed(record) -> ElementTree.Element:
    return ElementTree.fromstring(premis.document(item(record), TOLD))


def texts(root: ElementTree.Element, path: str) -> list[str]:
    return [element.text or "" for element in root.findall(path, SPACE)]


def test_the_example_in_the_documentation_is_what_is_written(repository):
    page = (repository / "docs" / "deliver.md").read_text()
    assert premis.document(item(), TOLD).decode() in page.replace("\n    ", "\n")


def test_colour_is_derived_from_the_scan_by_an_event():
    root = parsed(RECORD)
    scan, colour = texts(root, "p:object/p:objectIdentifier/p:objectIdentifierValue")
    [relationship] = root.findall("p:object[2]/p:relationship", SPACE)
    assert texts(relationship, "p:relatedObjectIdentifier/p:relatedObjectIdentifierValue") == [scan]
    event = texts(root, "p:event/p:eventIdentifier/p:eventIdentifierValue")
    assert texts(relationship, "p:relatedEventIdentifier/p:relatedEventIdentifierValue") == event
    assert texts(root, "p:event/p:linkingObjectIdentifier/p:linkingObjectIdentifierValue") == [scan, colour]
    agents = texts(root, "p:agent/p:agentIdentifier/p:agentIdentifierValue")
    assert texts(root, "p:event/p:linkingAgentIdentifier/p:linkingAgentIdentifierValue") == agents
    assert texts(root, "p:object//p:messageDigest") == [RECORD.sha256, OUTPUT.sha256]


def test_pages_in_files_of_their_own_are_derived_one_by_one():
    pages = tuple(replace(OUTPUT, name=f"mill.{page}.jpg", page=page) for page in (1, 2))
    root = parsed(replace(RECORD, outputs=pages))
    assert len(root.findall("p:event", SPACE)) == len(root.findall("p:object/p:relationship", SPACE)) == 2
    assert len(set(texts(root, "p:event/p:eventIdentifier/p:eventIdentifierValue"))) == 2


def test_a_copy_was_not_made_by_a_model():
    root = parsed(replace(RECORD, status="copied", outputs=(replace(OUTPUT, sha256=RECORD.sha256),)))
    assert texts(root, "p:event/p:eventType") == ["replication"]
    assert root.findall("p:event/p:eventDetailInformation", SPACE) == []


def test_any_name_and_warning_makes_xml_that_can_be_read():
    root = parsed(named("caf\udce9 <&>\x01.jpg", warnings=("odd\x02", "stain_suspected")))
    assert texts(root, "p:object/p:originalName") == 2 * ["caf\ufffd <&>\ufffd.jpg"]
    assert texts(root, "p:event//p:eventOutcomeDetailNote") == ["odd\ufffd", "stain_suspected"]


def test_identifiers_are_the_paths_in_the_bag_whatever_spaces_and_signs_they_have():
    for sign in ("\u00a0", "\u3000", "\u202f", "👩\u200d🚒", "\u2028", "\ufffe"):
        one = item(named(f"東京{sign}駅.jpg"))
        root = ElementTree.fromstring(premis.document(one, TOLD))
        paths = [one.scan.path, *(file.path for file in one.files.values())]
        assert texts(root, "p:object/p:objectIdentifier/p:objectIdentifierValue") == paths
    assert texts(parsed(named("東京\u3000駅.jpg")), "p:object/p:originalName") == ["東京\u3000駅.jpg"] * 2
