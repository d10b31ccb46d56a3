"""An authority of RFC 3161 on this machine, which stamps with any time, and fails when asked to."""

import contextlib
import datetime
import hashlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import certificates
from asn1crypto import algos, cms, core, pem, tsp
from asn1crypto import x509 as asn1
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

_KEY = rsa.generate_private_key(65537, 2048)


@dataclass
class Authority:
    """A running authority.

    Attributes:
        url: where it listens.
        time: that it stamps with; None for now.
        failures: how many requests it answers with an error before it stamps again.
        requests: that it got.
    """

    url: str
    time: datetime.datetime | None = None
    failures: int = 0
    requests: int = 0
    chain: list[asn1.Certificate] = field(default_factory=list)

    def answer(self, query: bytes) -> bytes | None:
        """Return the reply to a query; None for an error of the server."""
        self.requests += 1
        if self.failures:
            self.failures -= 1
            return None
        return _reply(tsp.TimeStampReq.load(query), self.time or datetime.datetime.now(datetime.UTC), self.chain)


@contextlib.contextmanager
def authority(folder: Path) -> Iterator[Authority]:
    """Run an authority; its certificate is written into a folder."""
    files = certificates.write(folder, _KEY, days=(-90, 90), usage=ExtendedKeyUsageOID.TIME_STAMPING)
    chain = [asn1.Certificate.load(data) for _, _, data in pem.unarmor(files.certificate.read_bytes(), multiple=True)]

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            reply = running.answer(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(503 if reply is None else 200)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.send_header("Content-Length", str(len(reply or b"")))
            self.end_headers()
            self.wfile.write(reply or b"")

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    running = Authority(f"http://127.0.0.1:{server.server_port}/stamp", chain=chain)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield running
    finally:
        server.shutdown()
        server.server_close()


def _reply(query: tsp.TimeStampReq, when: datetime.datetime, chain: list[asn1.Certificate]) -> bytes:
    own = chain[0]
    about = tsp.TSTInfo(
        {
            "version": "v1",
            "policy": "1.2.3.4.1",
            "message_imprint": query["message_imprint"],
            "serial_number": 1,
            "gen_time": when.replace(microsecond=0),
            "nonce": query["nonce"],
        }
    )
    digest = algos.DigestAlgorithm({"algorithm": "sha256"})
    signs = tsp.SigningCertificateV2({"certs": [{"cert_hash": hashlib.sha256(own.dump()).digest()}]})
    attributes = cms.CMSAttributes(
        [
            cms.CMSAttribute({"type": "content_type", "values": ["tst_info"]}),
            cms.CMSAttribute({"type": "message_digest", "values": [hashlib.sha256(about.dump()).digest()]}),
            cms.CMSAttribute({"type": "signing_certificate_v2", "values": [signs]}),
        ]
    )
    signer = cms.SignerInfo(
        {
            "version": "v1",
            "sid": cms.IssuerAndSerialNumber({"issuer": own.issuer, "serial_number": own.serial_number}),
            "digest_algorithm": digest,
            "signed_attrs": attributes,
            "signature_algorithm": {"algorithm": "sha256_rsa"},
            "signature": _KEY.sign(attributes.dump(), padding.PKCS1v15(), hashes.SHA256()),
        }
    )
    signed = cms.SignedData(
        {
            "version": "v3",
            "digest_algorithms": [digest],
            "encap_content_info": {"content_type": "tst_info", "content": core.ParsableOctetString(about.dump())},
            "certificates": chain,
            "signer_infos": [signer],
        }
    )
    token = {"content_type": "signed_data", "content": signed}
    return bytes(tsp.TimeStampResp({"status": {"status": "granted"}, "time_stamp_token": token}).dump())
