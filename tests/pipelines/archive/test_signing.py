import pickle
import shlex
import sys
from dataclasses import replace

import certificates
import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from pipelines.archive import signing
from tfrecords.errors import UserError, WorldError

_COMMAND = """
import sys
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
key = serialization.load_pem_private_key(open(sys.argv[1], 'rb').read(), None)
sys.stdout.buffer.write(key.sign(sys.stdin.buffer.read(), ec.ECDSA(hashes.SHA256())))
"""


def command(*words: object) -> str:
    return shlex.join([sys.executable, *map(str, words)])


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> certificates.Files:
    return certificates.write(tmp_path_factory.mktemp("signer"))


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [
        (ec.generate_private_key(ec.SECP256R1()), "es256"),
        (ec.generate_private_key(ec.SECP384R1()), "es384"),
        (ec.generate_private_key(ec.SECP521R1()), "es512"),
        (rsa.generate_private_key(65537, 2048), "ps256"),
        (ed25519.Ed25519PrivateKey.generate(), "ed25519"),
    ],
    ids=["P-256", "P-384", "P-521", "RSA", "Ed25519"],
)
def test_the_key_says_the_algorithm(tmp_path, key, algorithm):
    made = certificates.write(tmp_path, key)
    found = signing.of(str(made.certificate), str(made.key), "")
    assert found.algorithm == algorithm
    assert found.name == certificates.NAME


def test_a_command_signs_in_place_of_a_key(files):
    made = signing.of(str(files.certificate), "", command("-c", _COMMAND, files.key))
    assert made.signer()(b"claim")


def test_what_travels_to_workers_and_into_records_has_no_key(files):
    made = signing.of(str(files.certificate), str(files.key), "")
    secret = files.key.read_bytes().splitlines()[1]
    assert secret not in pickle.dumps(made)
    assert made.told == {"certificate": made.fingerprint, "name": certificates.NAME}


def test_a_key_in_the_file_of_the_certificate_goes_nowhere(files, tmp_path):
    both = tmp_path / "both.pem"
    both.write_bytes(files.key.read_bytes() + files.certificate.read_bytes())
    assert "PRIVATE" not in signing.of(str(both), str(files.key), "").chain


def _broken(root, files, what):
    """Flags with one fault."""
    certificate, key = str(files.certificate), str(files.key)
    if what == "key alone":
        return "", key, ""
    if what in ("neither", "both"):
        return certificate, key if what == "both" else "", "sign" if what == "both" else ""
    if what == "another key":
        return certificate, str(certificates.write(root).key), ""
    if what in ("no file", "no key"):
        (root / "text").write_text("text")
        return (str(root / "none"), key, "") if what == "no file" else (certificate, str(root / "text"), "")
    if what == "no certificate":
        return key, key, ""
    if what.startswith("command"):
        code = {"command fails": "import sys; sys.exit('no such slot')", "command lies": "print('signed')"}.get(what)
        return certificate, "", command("-c", code) if code else "/nowhere/sign"
    more = {
        "expired": {"days": (-9, -2)},
        "future": {"days": (2, 9)},
        "self-signed": {"is_self_signed": True},
        "for a server": {"usage": ExtendedKeyUsageOID.SERVER_AUTH},
        "encrypted": {"password": b"secret"},
        "kind": {"key": dsa.generate_private_key(1024)},
    }[what]
    made = certificates.write(root, **more)
    return str(made.certificate), str(made.key), ""


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("key alone", "--sign_key needs --sign CERTIFICATE"),
        ("neither", "needs --sign_key KEY or --sign_command COMMAND, one of them"),
        ("both", "one of them"),
        ("no file", "cannot be read: No such file"),
        ("no certificate", "has no certificate in PEM"),
        ("no key", "has no private key in PEM"),
        ("another key", "does not fit the certificate"),
        ("encrypted", "is encrypted; decrypt it"),
        ("expired", "expired on "),
        ("future", "is valid from "),
        ("self-signed", "is self-signed, which C2PA does not allow"),
        ("for a server", "is not one for Content Credentials: "),
        ("kind", "of a kind that C2PA does not allow"),
        ("command fails", "failed with exit code 1: no such slot"),
        ("command lies", "what --sign_command prints does not fit"),
        ("command lacks", "cannot be run: "),
    ],
)
def test_what_readers_would_reject_is_refused_in_one_line(files, tmp_path, what, said):
    with pytest.raises(UserError) as caught:
        signing.of(*_broken(tmp_path, files, what))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_certificate_that_expires_during_the_job_stops_it(files):
    made = replace(signing.of(str(files.certificate), str(files.key), ""), until=1.0)
    with pytest.raises(UserError, match="has expired"):
        made.signer()(b"claim")


def test_a_command_that_keeps_failing_stops_the_job_and_blames_no_photo(files, monkeypatch):
    monkeypatch.setattr(signing, "_PAUSES", (0, 0))
    made = signing.of(str(files.certificate), str(files.key), "")
    failing = replace(made, key="", command=command("-c", "import sys; sys.exit('device removed')"))
    with pytest.raises(WorldError, match="device removed; 2 attempts failed"):
        failing.signer()(b"claim")
