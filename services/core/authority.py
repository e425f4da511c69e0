"""The platform's own certificate authority: signs the broker's certificate, publishers' certificates and revocations.

Keys are ECDSA P-256, signatures SHA-256: what microcontrollers can do too.
"""

import datetime as dt
import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from services.core.city.ids import is_device_id
from services.core.errors import PlatformError

AUTHORITY_LIFE: Final = dt.timedelta(days=3650)
SERVER_LIFE: Final = dt.timedelta(days=397)
RENEW_BEFORE: Final = dt.timedelta(days=30)
# Devices' clocks are behind now and then; a certificate must not be too young for them.
_BACKDATED: Final = dt.timedelta(hours=1)
_SECOND: Final = dt.timedelta(seconds=1)
_COMMON_NAME: Final = "Alatau device authority"


class CertificateError(PlatformError):
    """The certificate, key or request cannot be used."""


@dataclass(frozen=True)
class Authority:
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @property
    def key_pem(self) -> bytes:
        return private_pem(self.key)

    @property
    def pem(self) -> bytes:
        return certificate_pem(self.certificate)


@dataclass(frozen=True, slots=True)
class Issued:
    """serial, fingerprint (SHA-256): lower case hexadecimal. pem: the certificate alone."""

    serial: str
    fingerprint: str
    not_after: dt.datetime
    pem: bytes


def new_authority(now: dt.datetime) -> Authority:
    """Each with a name of its own: a device may have to believe several installations."""
    key = new_key()
    digest = x509.SubjectKeyIdentifier.from_public_key(key.public_key()).digest
    name = _name(f"{_COMMON_NAME} {digest.hex()[:8]}")
    builder = (
        _builder(name, name, key.public_key(), (now - _BACKDATED, now + AUTHORITY_LIFE))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs=True), critical=True)
    )
    return Authority(key, builder.sign(key, hashes.SHA256()))


def load_authority(key_pem: bytes, pem: bytes) -> Authority:
    """Raises CertificateError: they are no key and certificate of an authority."""
    try:
        key = serialization.load_pem_private_key(key_pem, password=None)
        certificate = x509.load_pem_x509_certificate(pem)
    except ValueError as error:
        raise CertificateError(f"The authority cannot be read: {error}") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise CertificateError("The authority's key must be an elliptic curve's.")
    if key.public_key() != certificate.public_key():
        raise CertificateError("The authority's key is not its certificate's.")
    return Authority(key, certificate)


def describe_authority(pem: bytes) -> dict[str, str]:
    """Raises CertificateError: it is no certificate."""
    try:
        certificate = x509.load_pem_x509_certificate(pem)
    except ValueError as error:
        raise CertificateError(f"Not a certificate in PEM: {error}") from error
    return {
        "subject": certificate.subject.rfc4514_string(),
        "fingerprint": certificate.fingerprint(hashes.SHA256()).hex(),
        "not_after": certificate.not_valid_after_utc.isoformat(),
    }


def sign_server(
    authority: Authority, names: Sequence[str], now: dt.datetime
) -> tuple[bytes, bytes]:
    """(key, certificate) as PEM. names: host names and addresses that clients may call it by; at least one."""
    key = new_key()
    builder = (
        _builder(
            authority.certificate.subject,
            _name(names[0]),
            key.public_key(),
            _validity(authority, now, SERVER_LIFE),
        )
        .add_extension(
            x509.SubjectAlternativeName(_spoken(names)),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs=False), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False
        )
    )
    certificate = _signed(builder, authority)
    return private_pem(key), certificate_pem(certificate)


def sign_device(
    authority: Authority,
    device: str,
    public_key: ec.EllipticCurvePublicKey | x509.CertificateSigningRequest,
    now: dt.datetime,
    life: dt.timedelta,
) -> Issued:
    """A certificate by which a publisher is known: its common name is the device id.

    Raises:
        CertificateError: the request is not signed by its own key, or names another device.
    """
    if not is_device_id(device):
        raise CertificateError(f"Not a device id: {device!r}")
    if isinstance(public_key, x509.CertificateSigningRequest):
        key = _requested_key(public_key, device)
    else:
        key = public_key
    builder = (
        _builder(
            authority.certificate.subject,
            _name(device),
            key,
            _validity(authority, now, life),
        )
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs=False), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False
        )
    )
    certificate = _signed(builder, authority)
    return Issued(
        spelled_serial(certificate.serial_number),
        certificate.fingerprint(hashes.SHA256()).hex(),
        certificate.not_valid_after_utc,
        certificate_pem(certificate),
    )


def sign_revocations(
    authority: Authority,
    serials: Iterable[str],
    now: dt.datetime,
    previous: dt.datetime | None,
) -> bytes:
    """A revocation list as PEM that takes the place of one signed at `previous`.

    OpenSSL keeps every list it has read and believes the one signed last, in whole seconds; a list from the future it
    takes for none, and then lets nobody in. So this one is dated an hour back, and after the previous one at any rate.
    It never runs out: who reads it has it from the same disk, and an outdated one would keep every device out.
    """
    signed_at = now.replace(microsecond=0) - _BACKDATED
    if previous is not None:
        signed_at = max(signed_at, previous + _SECOND)
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(authority.certificate.subject)
        .last_update(signed_at)
        .next_update(authority.certificate.not_valid_after_utc)
    )
    for serial in sorted(serials):
        entry = x509.RevokedCertificateBuilder().serial_number(int(serial, 16))
        builder = builder.add_revoked_certificate(
            entry.revocation_date(signed_at).build()
        )
    signed = builder.sign(authority.key, hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.PEM)


def read_revocations(pem: bytes) -> tuple[frozenset[str], dt.datetime]:
    """(serials, when it was signed)."""
    listed = x509.load_pem_x509_crl(pem)
    return (
        frozenset(spelled_serial(entry.serial_number) for entry in listed),
        listed.last_update_utc,
    )


def is_signed_by(authority: Authority, revocations_pem: bytes) -> bool:
    key = authority.key.public_key()
    return x509.load_pem_x509_crl(revocations_pem).is_signature_valid(key)


def has_signed(authority: Authority, certificate: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(authority.certificate)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def names_of(certificate: x509.Certificate) -> frozenset[str]:
    """What clients may call the server by."""
    try:
        extension = certificate.extensions.get_extension_for_class(
            x509.SubjectAlternativeName
        )
    except x509.ExtensionNotFound:
        return frozenset()
    return frozenset(str(name.value) for name in extension.value)


def read_server_pair(pem: bytes) -> x509.Certificate:
    """Of a PEM with a private key and a certificate chain, the server's own certificate.

    Raises:
        CertificateError: something is missing, or the key is not the certificate's.
    """
    try:
        key = serialization.load_pem_private_key(pem, password=None)
        certificate = x509.load_pem_x509_certificate(pem)
    except ValueError as error:
        raise CertificateError(f"No key and certificate: {error}") from error
    if key.public_key() != certificate.public_key():
        raise CertificateError("The key is not the certificate's.")
    return certificate


def read_request(pem: bytes) -> x509.CertificateSigningRequest:
    """Raises CertificateError: it is no signing request."""
    try:
        return x509.load_pem_x509_csr(pem)
    except ValueError as error:
        raise CertificateError(f"Not a signing request in PEM: {error}") from error


def new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def private_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def certificate_pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def spelled_serial(number: int) -> str:
    return f"{number:x}"


def _requested_key(
    request: x509.CertificateSigningRequest, device: str
) -> ec.EllipticCurvePublicKey:
    if not request.is_signature_valid:
        raise CertificateError("The request is not signed by its own key.")
    named = [
        str(part.value)
        for part in request.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    ]
    if named not in ([], [device]):
        raise CertificateError(f"The request is for {', '.join(named)}, not {device}.")
    key = request.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise CertificateError("The request's key must be an elliptic curve's (P-256).")
    return key


def _builder(
    issuer: x509.Name,
    subject: x509.Name,
    key: ec.EllipticCurvePublicKey,
    valid: tuple[dt.datetime, dt.datetime],
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .issuer_name(issuer)
        .subject_name(subject)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(valid[0])
        .not_valid_after(valid[1])
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _signed(builder: x509.CertificateBuilder, authority: Authority) -> x509.Certificate:
    by = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key())
    return builder.add_extension(by, critical=False).sign(
        authority.key, hashes.SHA256()
    )


def _validity(
    authority: Authority, now: dt.datetime, life: dt.timedelta
) -> tuple[dt.datetime, dt.datetime]:
    """Nothing outlives the authority."""
    end = min(now + life, authority.certificate.not_valid_after_utc)
    return now - _BACKDATED, end


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _spoken(names: Iterable[str]) -> list[x509.GeneralName]:
    return [_as_address(name) or x509.DNSName(name) for name in names]


def _as_address(name: str) -> x509.GeneralName | None:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return None


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs,
        key_cert_sign=signs,
        crl_sign=signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
