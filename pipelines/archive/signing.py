"""Who signs the colour files of a run, and how: with a key in a file, or with a command for hardware and key services.

`Signing` travels to the workers and knows where the key is. The key itself is read by each worker and stays there: it
is in no record, log, graph of a job or child process.
"""

import argparse
import datetime
import shlex
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pipelines.files import storage
from pipelines.images import credentials
from pipelines.images.credentials import Asked, Claim, NotStamped
from tfrecords.errors import UserError, WorldError

if TYPE_CHECKING:
    from cryptography import x509

Sign = Callable[[bytes], bytes]
_SECONDS = 60
_PAUSES = (1, 5, 0)


@dataclass(frozen=True, kw_only=True)
class Signing:
    """Who signs, and how.

    Attributes:
        chain: certificates in PEM, that of the signer first.
        fingerprint: SHA-256 of the signer's certificate, in hex.
        name: common name in that certificate.
        algorithm: see `pipelines.images.credentials.Claim`.
        until: when the certificate expires, in seconds since 1970.
        key: path or URI of the private key in PEM; '' with a command.
        command: gets bytes on its standard input and prints their signature.
        timestamp_url: of an authority that stamps each signature with the time; '' for none.
    """

    chain: str
    fingerprint: str
    name: str
    algorithm: str
    until: float
    key: str = ""
    command: str = ""
    timestamp_url: str = ""

    @property
    def told(self) -> dict[str, str]:
        """The entry for ``runs.json``."""
        told = {"certificate": self.fingerprint, "name": self.name}
        return told | ({"timestamp_url": self.timestamp_url} if self.timestamp_url else {})

    def claim(self, training: str, scan_sha256: str) -> Claim:
        """Return what is needed to sign the files of a photo; see `pipelines.images.credentials.Claim`."""
        return Claim(
            chain=self.chain,
            algorithm=self.algorithm,
            training=training,
            scan_sha256=scan_sha256,
            timestamp_url=self.timestamp_url,
        )

    def signer(self) -> Sign:
        """Return a function that signs; it may be called in several threads.

        Raises:
            UserError: the key cannot be read. The function raises it when the certificate has expired.
        """
        private = _key(self.key) if self.key else None

        def sign(data: bytes) -> bytes:
            if time.time() > self.until:
                raise UserError("the certificate of --sign has expired; get a new one, and start again")
            return _with_key(private, data) if private is not None else _patiently(self.command, data)

        return sign


def wait_for_stamp(failed: NotStamped) -> bytes:
    """Wait until it is time to ask for a time stamp again; WorldError if the authority fails for too long."""
    if failed.attempt >= len(_PAUSES):
        said = f"the authority of --sign_timestamp_url fails: {failed.said}; {failed.attempt} attempts failed"
        raise WorldError(f"{said}. Start again when it works")
    time.sleep(_PAUSES[failed.attempt - 1])
    return b""


def of_flags(args: argparse.Namespace) -> Signing | None:
    """Return what `of` does for the flags of a command."""
    return of(args.sign, args.sign_key, args.sign_command, args.sign_timestamp_url)


def of(certificate: str, key: str, command: str, timestamp_url: str = "") -> Signing | None:
    """Return who signs, after a trial; None if nobody does.

    Args:
        certificate: path or URI of the certificates in PEM, that of the signer first; '' for none.
        key: path or URI of the private key in PEM; or ''.
        command: instead of a key; or ''.
        timestamp_url: of an authority that stamps signatures with the time; '' for none.

    Raises:
        UserError: certificate, key, command or authority cannot be used.
    """
    if not certificate:
        if key or command or timestamp_url:
            flag = "key" if key else "command" if command else "timestamp_url"
            raise UserError(f"--sign_{flag} needs --sign CERTIFICATE")
        return None
    if bool(key) == bool(command):
        raise UserError("--sign needs --sign_key KEY or --sign_command COMMAND, one of them")
    if not credentials.is_installed():
        raise UserError("--sign needs c2pa-python; install it with: pip install 'autochrome[sign]'")
    signing = replace(_of_certificates(certificate, key, command), timestamp_url=timestamp_url)
    _try(signing)
    return signing


def trained_on(data: Any) -> str:
    """Return what a model was trained on, in words, as far as its ``autochrome.json`` says so."""
    try:
        number, fingerprint = int(data["examples"]["train"]), str(data["fingerprint"])
    except (LookupError, TypeError, ValueError):
        return ""
    return f"Trained on {number:,} photos, data set {fingerprint}."


def _of_certificates(uri: str, key: str, command: str) -> Signing:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.serialization import Encoding

    try:
        chain = x509.load_pem_x509_certificates(_read(uri, "--sign"))
    except ValueError as error:
        raise UserError(f"--sign {uri} has no certificate in PEM") from error
    own = chain[0]
    now = datetime.datetime.now(datetime.UTC)
    if now > own.not_valid_after_utc:
        raise UserError(f"--sign {uri} expired on {own.not_valid_after_utc:%Y-%m-%d}; get a new certificate")
    if now < own.not_valid_before_utc:
        raise UserError(f"--sign {uri} is valid from {own.not_valid_before_utc:%Y-%m-%d} on; wait, or set the clock")
    if own.issuer == own.subject:
        raise UserError(f"--sign {uri} is self-signed, which C2PA does not allow; take one that an authority issued")
    names = own.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return Signing(
        chain="".join(one.public_bytes(Encoding.PEM).decode() for one in chain),
        fingerprint=own.fingerprint(hashes.SHA256()).hex(),
        name=str(names[0].value) if names else "",
        algorithm=_algorithm(own, uri),
        until=own.not_valid_after_utc.timestamp(),
        key=key,
        command=command,
    )


def _algorithm(certificate: "x509.Certificate", uri: str) -> str:
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    public = certificate.public_key()
    if isinstance(public, ec.EllipticCurvePublicKey):
        found = {"secp256r1": "es256", "secp384r1": "es384", "secp521r1": "es512"}.get(public.curve.name, "")
    else:
        found = "ps256" if isinstance(public, rsa.RSAPublicKey) else ""
        found = "ed25519" if isinstance(public, ed25519.Ed25519PublicKey) else found
    if not found:
        raise UserError(f"--sign {uri} has a key of a kind that C2PA does not allow; take P-256, RSA or Ed25519")
    return found


def _try(signing: Signing) -> None:
    """Sign something with the key, and with the library.

    Raises:
        UserError: key and certificate do not fit, or readers would reject signatures.
    """
    from cryptography.exceptions import InvalidSignature

    data = b"autochrome"
    signature = signing.signer()(data) if signing.key else _run(signing.command, data)
    try:
        _check(signing.chain, signature, data)
    except (InvalidSignature, ValueError) as error:
        which = f"--sign_key {signing.key}" if signing.key else "what --sign_command prints"
        raise UserError(f"{which} does not fit the certificate of --sign") from error
    sign = signing.signer()

    def answer(asked: Asked) -> bytes:
        if isinstance(asked, NotStamped):
            raise UserError(f"--sign_timestamp_url {signing.timestamp_url} gives no time stamp: {asked.said}")
        return sign(asked.data)

    if faults := credentials.trial(signing.claim(training="", scan_sha256=""), answer):
        raise UserError(f"the certificate of --sign is not one for Content Credentials: {', '.join(faults)}")


def _check(chain: str, signature: bytes, data: bytes) -> None:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    public: Any = x509.load_pem_x509_certificates(chain.encode())[0].public_key()
    if isinstance(public, ec.EllipticCurvePublicKey):
        public.verify(signature, data, ec.ECDSA(_hash(public.curve.key_size)))
    elif isinstance(public, rsa.RSAPublicKey):
        public.verify(signature, data, _padding(), _hash(256))
    else:
        public.verify(signature, data)


def _key(uri: str) -> Any:
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        return load_pem_private_key(_read(uri, "--sign_key"), None)
    except TypeError as error:
        raise UserError(f"--sign_key {uri} is encrypted; decrypt it, or sign with --sign_command") from error
    except ValueError as error:
        raise UserError(f"--sign_key {uri} has no private key in PEM") from error


def _with_key(private: Any, data: bytes) -> bytes:
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    if isinstance(private, ec.EllipticCurvePrivateKey):
        return private.sign(data, ec.ECDSA(_hash(private.curve.key_size)))
    if isinstance(private, rsa.RSAPrivateKey):
        return private.sign(data, _padding(), _hash(256))
    signature: bytes = private.sign(data)
    return signature


def _hash(bits: int) -> Any:
    from cryptography.hazmat.primitives import hashes

    return {256: hashes.SHA256(), 384: hashes.SHA384()}.get(bits, hashes.SHA512())


def _padding() -> Any:
    from cryptography.hazmat.primitives.asymmetric import padding

    return padding.PSS(mgf=padding.MGF1(_hash(256)), salt_length=32)


def _patiently(command: str, data: bytes) -> bytes:
    for pause in _PAUSES:
        try:
            return _run(command, data)
        except UserError as error:
            said = str(error)
        time.sleep(pause)
    raise WorldError(f"{said}; {len(_PAUSES)} attempts failed. Start again when it works")


def _run(command: str, data: bytes) -> bytes:
    try:
        done = subprocess.run(shlex.split(command), input=data, capture_output=True, timeout=_SECONDS, check=False)
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        raise UserError(f"--sign_command cannot be run: {error}") from error
    if done.returncode or not done.stdout:
        said = done.stderr.decode(errors="replace").strip().partition("\n")[0][:200] or "it printed nothing"
        raise UserError(f"--sign_command failed with exit code {done.returncode}: {said}")
    return done.stdout


def _read(uri: str, flag: str) -> bytes:
    try:
        return storage.read(uri)
    except storage.io_errors() as error:
        raise UserError(f"{flag} {uri} cannot be read: {getattr(error, 'strerror', None) or error}") from error
