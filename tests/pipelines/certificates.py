"""Certificates for Content Credentials, as an authority issues them, and broken ones."""

import datetime
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NAME = "Archive of tests"
_NOW = datetime.datetime.now(datetime.UTC)
_AUTHORITY = ec.generate_private_key(ec.SECP256R1())


@dataclass(frozen=True)
class Files:
    """The files of a signer."""

    certificate: Path
    key: Path

    @property
    def flags(self) -> list[str]:
        return ["--sign", str(self.certificate), "--sign_key", str(self.key)]


def write(
    folder: Path,
    key: Any = None,
    *,
    days: tuple[int, int] = (-2, 30),
    usage: x509.ObjectIdentifier = ExtendedKeyUsageOID.EMAIL_PROTECTION,
    is_self_signed: bool = False,
    password: bytes = b"",
) -> Files:
    """Write a certificate with its authority's, and the key.

    Args:
        folder: for the files.
        key: private; None for P-256.
        days: from today, of the certificate's validity.
        usage: the extended key usage.
        is_self_signed: whether the certificate is its own authority.
        password: of the key.
    """
    folder.mkdir(parents=True, exist_ok=True)
    key = key or ec.generate_private_key(ec.SECP256R1())
    root = _built("Authority of tests", "Authority of tests", _AUTHORITY.public_key(), (-9, 99), None, _AUTHORITY)
    issuer, signer = (NAME, key) if is_self_signed else ("Authority of tests", _AUTHORITY)
    own = _built(NAME, issuer, key.public_key(), days, usage, signer)
    chain = own.public_bytes(Encoding.PEM) + (b"" if is_self_signed else root.public_bytes(Encoding.PEM))
    (folder / "cert.pem").write_bytes(chain)
    hidden = BestAvailableEncryption(password) if password else NoEncryption()
    (folder / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, hidden))
    return Files(folder / "cert.pem", folder / "key.pem")


def _built(
    name: str, issuer: str, public: Any, days: tuple[int, int], usage: x509.ObjectIdentifier | None, signer: Any
) -> x509.Certificate:
    is_authority = usage is None
    bits = dict.fromkeys(("content_commitment", "key_encipherment", "data_encipherment", "key_agreement"), False)
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(_name(issuer))
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(_NOW + datetime.timedelta(days=days[0]))
        .not_valid_after(_NOW + datetime.timedelta(days=days[1]))
        .add_extension(x509.BasicConstraints(is_authority, None), True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=True,
                key_cert_sign=is_authority,
                crl_sign=is_authority,
                encipher_only=False,
                decipher_only=False,
                **bits,
            ),
            True,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), False)
    )
    if usage is not None:
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), usage == ExtendedKeyUsageOID.TIME_STAMPING)
    return builder.sign(signer, hashes.SHA256() if isinstance(signer, ec.EllipticCurvePrivateKey) else None)


def _name(name: str) -> x509.Name:
    attributes = [x509.NameAttribute(NameOID.COMMON_NAME, name), x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Tests")]
    return x509.Name(attributes)
