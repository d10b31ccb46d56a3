"""Sign colour files with Content Credentials (C2PA 2.4), and read those of any picture.

The scan is the parent, and the file is that scan, opened and edited by a model. Signing happens elsewhere: this module
asks for a signature, so that no key is in the process that parses photos. Nothing is fetched from a network, except
the time stamps of signatures.
"""

import importlib.util
import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from PIL import Image

from pipelines.images.limits import waiting
from pipelines.images.xmp import Mark

if TYPE_CHECKING:
    import c2pa

_MIME = {
    "JPEG": "image/jpeg",
    "MPO": "image/jpeg",
    "PNG": "image/png",
    "TIFF": "image/tiff",
    "WEBP": "image/webp",
    "AVIF": "image/avif",
    "GIF": "image/gif",
}
_MANIFEST = (b"jumb", b"c2pa")
# Readers compare the signer with lists of their own; here only the file counts.
_NOT_ABOUT_THE_FILE = ("signingCredential.untrusted",)
Status = Literal["none", "unchecked", "valid", "invalid"]


@dataclass(frozen=True)
class ToSign:
    """A question to the parent process: sign these bytes."""

    data: bytes


@dataclass(frozen=True)
class NotStamped:
    """A report to the parent process: there was no time stamp, for the nth time. Any answer means: try again."""

    attempt: int
    said: str


Asked = ToSign | NotStamped


@dataclass(frozen=True, kw_only=True)
class Claim:
    """What is needed to sign the files of a photo, apart from a key and from its `Mark`.

    Attributes:
        chain: certificates in PEM, that of the signer first.
        algorithm: ``es256``, ``es384``, ``es512``, ``ps256`` or ``ed25519``.
        training: what the model was trained on, in words.
        scan_sha256: of the scan.
        timestamp_url: of an authority of RFC 3161, whose time stamp the signature gets; '' for none.
    """

    chain: str
    algorithm: str
    training: str
    scan_sha256: str
    timestamp_url: str = ""


@dataclass(frozen=True, kw_only=True)
class Signature:
    """What the Content Credentials of a file say; '' is for what they do not say.

    Attributes:
        status: ``invalid`` if the file or its credentials were changed, ``unchecked`` without `c2pa-python`.
        signer: common name in the certificate. Anybody can write any name: it is not compared with a list.
        issuer: organization in the certificate.
        software: that made the claim.
        stamped: when an authority stamped the signature, as ISO 8601.
        digital_source_types: URIs that the last claim gives for its actions.
        faults: codes of C2PA of what is wrong.
    """

    status: Status
    signer: str = ""
    issuer: str = ""
    software: str = ""
    stamped: str = ""
    digital_source_types: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()


NONE = Signature(status="none")


def is_installed() -> bool:
    """Return whether signatures can be made and checked: the extra ``sign`` is installed."""
    return importlib.util.find_spec("c2pa") is not None


def definition(mark: Mark, claim: Claim, mime: str) -> dict[str, Any]:
    """Return the manifest of a colour file, without its parent, as `c2pa-python` takes it."""
    name, _, version = mark.software.rpartition(" ")
    edited = {
        "action": "c2pa.edited",
        "digitalSourceType": mark.digital_source_type,
        "softwareAgent": {"name": f"{name}, model {mark.model_name}", "version": mark.model_digest},
        "description": "A model predicted the colours. Luminance is that of the scan.",
        "parameters": {"ingredientIds": ["model"]},
    }
    disclosure = {
        "modelType": "c2pa.types.model.tensorflow",
        "modelName": f"{name} {mark.model_name}",
        "modelIdentifier": f"sha256:{mark.model_digest}",
        "contentProfile": {"humanOversightLevel": "prompt_guided" if mark.guided else "fully_autonomous"},
    }
    model = {
        "title": f"{name}, model {mark.model_name}",
        "relationship": "inputTo",
        "label": "model",
        "data_types": [{"type": "c2pa.types.model.tensorflow"}],
        "description": f"SHA-256 {mark.model_digest}. {claim.training}",
    }
    opened = {"action": "c2pa.opened", "parameters": {"ingredientIds": ["scan"]}}
    return {
        "claim_generator_info": [{"name": name, "version": version}],
        "title": _text(mark.source_name.rpartition("/")[2]),
        "format": mime,
        "ingredients": [model],
        "assertions": [
            {"label": "c2pa.actions.v2", "data": {"actions": [opened, edited]}},
            {"label": "c2pa.ai-disclosure", "data": disclosure},
        ],
    }


def sign(
    file: bytes, file_format: str, mark: Mark, claim: Claim, scan: tuple[bytes, str], ask: Callable[[Asked], bytes]
) -> bytes:
    """Return a colour file with Content Credentials. They differ from call to call, the rest of the file does not.

    Args:
        file: without credentials.
        file_format: in Pillow's spelling; JPEG, PNG, TIFF or WEBP.
        mark: how the file was made.
        claim: certificates, and what else is said.
        scan: the bytes of the source and its format. Credentials that it has stay in those of the file.
        ask: returns a signature, for ECDSA in DER. It also gets reports of time stamps that failed, and returns when
            it is time to try again.

    Raises:
        c2pa.C2paError: the file cannot be signed.
    """
    import c2pa

    attempt, is_signed = 1, False

    def signature(data: bytes) -> bytes:
        nonlocal is_signed
        answer = ask(ToSign(data))
        is_signed = True
        return answer

    while True:
        try:
            return _signed(file, file_format, mark, claim, scan, signature)
        except c2pa.C2paError as error:
            # The time stamp comes after the signature, and nothing else can fail there.
            if not (claim.timestamp_url and is_signed):
                raise
            ask(NotStamped(attempt, " ".join(str(error).split())[:200]))
        attempt, is_signed = attempt + 1, False


def _signed(
    file: bytes,
    file_format: str,
    mark: Mark,
    claim: Claim,
    scan: tuple[bytes, str],
    signature: Callable[[bytes], bytes],
) -> bytes:
    import c2pa

    algorithm, stamps = c2pa.C2paSigningAlg[claim.algorithm.upper()], claim.timestamp_url or None
    signed = io.BytesIO()
    with (
        c2pa.Signer.from_callback(signature, algorithm, claim.chain, stamps) as signer,
        _builder(definition(mark, claim, _MIME[file_format]), _parent(mark, claim), *scan) as builder,
        waiting(),  # for the key and the authority
    ):
        builder.sign(signer, _MIME[file_format], io.BytesIO(file), signed)
    return signed.getvalue()


def _parent(mark: Mark, claim: Claim) -> dict[str, Any]:
    about = {"title": _text(mark.source_name), "description": f"SHA-256 {claim.scan_sha256}"}
    return {**about, "relationship": "parentOf", "label": "scan"}


def _builder(manifest: dict[str, Any], parent: dict[str, Any], scan: bytes, scan_format: str) -> "c2pa.Builder":
    """Return the builder of a manifest whose parent has the credentials of the scan, if they can be read."""
    import c2pa

    if mime := _MIME.get(scan_format, ""):
        builder = c2pa.Builder(manifest, _context())
        try:
            builder.add_ingredient(parent, mime, io.BytesIO(scan))
        except c2pa.C2paError:
            builder.close()
        else:
            return builder
    return c2pa.Builder({**manifest, "ingredients": [*manifest["ingredients"], parent]}, _context())


def trial(claim: Claim, ask: Callable[[Asked], bytes]) -> tuple[str, ...]:
    """Sign a picture of one pixel; return what readers would reject, as codes of C2PA or a message."""
    import c2pa

    buffer = io.BytesIO()
    Image.new("L", (1, 1)).save(buffer, "PNG")
    mark = Mark(software="Autochrome 0", model_name="trial", model_digest="", source_name="trial")
    try:
        signed = sign(buffer.getvalue(), "PNG", mark, claim, (b"", ""), ask)
    except c2pa.C2paError as error:
        return (str(error).partition("\n")[0],)
    return read(signed, "PNG").faults


def read(data: bytes, file_format: str) -> Signature:
    """Return what the Content Credentials of a file say, and whether the file is as it was signed.

    Args:
        data: the bytes of the file.
        file_format: in Pillow's spelling.
    """
    if not all(mark in data for mark in _MANIFEST):
        return NONE
    if file_format not in _MIME or not is_installed():
        return Signature(status="unchecked")
    import c2pa

    try:
        with c2pa.Reader(_MIME[file_format], io.BytesIO(data), context=_context()) as reader:
            return _signature(json.loads(reader.json()))
    except c2pa.C2paError.ManifestNotFound:
        return NONE
    except c2pa.C2paError as error:
        return Signature(status="invalid", faults=(str(error).partition("\n")[0],))


def _signature(store: Mapping[str, Any]) -> Signature:
    active = store["manifests"].get(store.get("active_manifest", ""), {})
    faults = [str(one["code"]) for one in store.get("validation_status") or ()]
    faults = [code for code in dict.fromkeys(faults) if code not in _NOT_ABOUT_THE_FILE]
    about, software = active.get("signature_info") or {}, (active.get("claim_generator_info") or [{}])[0]
    actions = [
        action
        for assertion in active.get("assertions") or ()
        if assertion["label"].startswith("c2pa.actions")
        for action in assertion["data"].get("actions", ())
    ]
    types = [str(action["digitalSourceType"]) for action in actions if "digitalSourceType" in action]
    is_valid = not faults and store.get("validation_state") in ("Valid", "Trusted")
    return Signature(
        status="valid" if is_valid else "invalid",
        signer=str(about.get("common_name") or ""),
        issuer=str(about.get("issuer") or ""),
        stamped=str(about.get("time") or ""),
        software=" ".join(str(software[key]) for key in ("name", "version") if software.get(key)),
        digital_source_types=tuple(dict.fromkeys(types)),
        faults=tuple(faults),
    )


@cache
def _context() -> "c2pa.Context":
    import c2pa

    settings = {
        "builder": {"thumbnail": {"enabled": False}},
        "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False, "verify_timestamp_trust": False},
    }
    return c2pa.Context(c2pa.Settings.from_dict(settings))


def _text(name: str) -> str:
    """Return a name in which bytes that are not UTF-8 are replaced."""
    return name.encode("utf-8", "replace").decode()
