"""A time stamping authority of our own, made by openssl, whose clock may be set: for tests."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

CONFIGURATION = """
[ tsa ]
default_tsa = here
[ here ]
serial = {folder}/serial
crypto_device = builtin
signer_cert = {folder}/tsa.pem
certs = {folder}/root.pem
signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
accuracy = secs:1
ordering = no
tsa_name = no
ess_cert_id_chain = no
[ usage ]
extendedKeyUsage = critical,timeStamping
[ req ]
distinguished_name = nobody
[ nobody ]
"""


@dataclass
class Tsa:
    folder: Path

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True)
        self._file("openssl.cnf").write_text(CONFIGURATION.format(folder=self.folder))
        self._file("serial").write_text("01\n")
        ec = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 9000"
        self._openssl(f"req -x509 {ec} -keyout root.key -out root.pem -subj /CN=root -config openssl.cnf")
        self._openssl(f"req -new {ec} -keyout tsa.key -out tsa.csr -subj /CN=tsa -config openssl.cnf")
        self._openssl(
            "x509 -req -in tsa.csr -CA root.pem -CAkey root.key -CAcreateserial -days 9000"
            " -extfile openssl.cnf -extensions usage -out tsa.pem"
        )

    @property
    def root_pem(self) -> str:
        return self._file("root.pem").read_text()

    def stamp(self, digest: bytes) -> bytes:
        """The response over this digest at the present moment."""
        self._openssl(f"ts -query -digest {digest.hex()} -sha256 -cert -out query.tsq")
        return self.answer(self._file("query.tsq").read_bytes())

    def answer(self, question: bytes) -> bytes:
        """The response to a question as it arrives."""
        self._file("query.tsq").write_bytes(question)
        self._openssl("ts -reply -queryfile query.tsq -out reply.tsr -config openssl.cnf -section here")
        return self._file("reply.tsr").read_bytes()

    def _file(self, name: str) -> Path:
        return self.folder / name

    def _openssl(self, words: str) -> None:
        subprocess.run(["openssl", *words.split()], cwd=self.folder, check=True, capture_output=True)


def with_words(response: bytes, words: str) -> bytes:
    """The same response with words in its status, which nobody signs."""
    content = _content(response)
    token = content[2 + content[1] :]  # behind the status, which is short
    text = _der(0x30, _der(0x0C, words.encode()))
    return _der(0x30, _der(0x30, b"\x02\x01\x00" + text) + token)


def _content(der: bytes) -> bytes:
    long_form = der[1] & 0x7F if der[1] & 0x80 else 0
    return der[2 + long_form :]


def _der(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    packed = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(packed)]) + packed + content
