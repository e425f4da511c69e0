"""The platform's certificate authority: what it signs, and what it does not."""

import datetime as dt
from itertools import pairwise

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from hypothesis import given
from hypothesis import strategies as st

from services.core.authority import (
    CertificateError,
    is_signed_by,
    load_authority,
    names_of,
    new_authority,
    new_key,
    read_request,
    read_revocations,
    read_server_pair,
    sign_device,
    sign_revocations,
    sign_server,
)

NOW = dt.datetime(2026, 11, 22, 4, 0, tzinfo=dt.UTC)
YEAR = dt.timedelta(days=365)
AUTHORITY = new_authority(NOW)


def request_of(
    common_name: str | None, key: "ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey"
) -> x509.CertificateSigningRequest:
    names = (
        [x509.NameAttribute(NameOID.COMMON_NAME, common_name)] if common_name else []
    )
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(names))
    pem = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    return read_request(pem)


def test_an_authority_is_kept_as_two_files() -> None:
    again = load_authority(AUTHORITY.key_pem, AUTHORITY.pem)
    assert again.certificate == AUTHORITY.certificate
    lasts = AUTHORITY.certificate.not_valid_after_utc - NOW
    assert lasts == dt.timedelta(days=3650)
    with pytest.raises(CertificateError, match="not its certificate's"):
        load_authority(AUTHORITY.key_pem, new_authority(NOW).pem)
    with pytest.raises(CertificateError, match="cannot be read"):
        load_authority(b"torn", AUTHORITY.pem)


def test_the_brokers_certificate_names_hosts_and_addresses() -> None:
    names = ["mqtt.city.example", "localhost", "10.0.0.7", "::1"]
    key, pem = sign_server(AUTHORITY, names, NOW)
    certificate = read_server_pair(key + pem)
    assert names_of(certificate) == set(names)
    assert certificate.not_valid_after_utc - NOW == dt.timedelta(days=397)
    certificate.verify_directly_issued_by(AUTHORITY.certificate)


def test_a_key_of_another_certificate_is_no_pair() -> None:
    key, _ = sign_server(AUTHORITY, ["localhost"], NOW)
    _, pem = sign_server(AUTHORITY, ["localhost"], NOW)
    with pytest.raises(CertificateError, match="not the certificate's"):
        read_server_pair(key + pem)


def test_a_device_is_its_certificates_common_name() -> None:
    issued = sign_device(AUTHORITY, "pump-1", new_key().public_key(), NOW, YEAR)
    certificate = x509.load_pem_x509_certificate(issued.pem)
    assert certificate.subject.rfc4514_string() == "CN=pump-1"
    assert issued.serial == f"{certificate.serial_number:x}"
    usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    assert list(usage.value) == [ExtendedKeyUsageOID.CLIENT_AUTH]


@pytest.mark.parametrize("device", ["alatau.ingest", "alatau.door", "", "Pump", "a b"])
def test_only_a_device_id_is_certified(device: str) -> None:
    with pytest.raises(CertificateError, match="Not a device id"):
        sign_device(AUTHORITY, device, new_key().public_key(), NOW, YEAR)


@pytest.mark.parametrize("named", ["pump-1", None])
def test_a_request_for_this_device_or_for_none_is_signed(named: str | None) -> None:
    key = new_key()
    issued = sign_device(AUTHORITY, "pump-1", request_of(named, key), NOW, YEAR)
    certificate = x509.load_pem_x509_certificate(issued.pem)
    assert certificate.public_key() == key.public_key()


def test_a_request_for_another_device_is_refused() -> None:
    with pytest.raises(CertificateError, match="for valve-1, not pump-1"):
        sign_device(AUTHORITY, "pump-1", request_of("valve-1", new_key()), NOW, YEAR)


def test_a_request_with_another_kind_of_key_is_refused() -> None:
    key = rsa.generate_private_key(65537, 2048)
    with pytest.raises(CertificateError, match="elliptic"):
        sign_device(AUTHORITY, "pump-1", request_of("pump-1", key), NOW, YEAR)


def test_nothing_outlives_the_authority() -> None:
    century = dt.timedelta(days=36_500)
    issued = sign_device(AUTHORITY, "pump-1", new_key().public_key(), NOW, century)
    assert issued.not_after == AUTHORITY.certificate.not_valid_after_utc


@given(
    st.frozensets(st.integers(1, (1 << 159) - 1).map("{:x}".format), max_size=5),
    st.lists(st.timedeltas(-YEAR, YEAR), min_size=2, max_size=6),
)
def test_each_list_is_newer_than_the_one_before_however_the_clock_jumps(
    serials: frozenset[str], jumps: list[dt.timedelta]
) -> None:
    signed: list[dt.datetime] = []
    for jump in jumps:
        previous = signed[-1] if signed else None
        pem = sign_revocations(AUTHORITY, serials, NOW + jump, previous)
        listed, signed_at = read_revocations(pem)
        assert listed == serials
        signed.append(signed_at)
    assert all(a < b for a, b in pairwise(signed))


def test_a_list_is_from_the_past_and_never_runs_out() -> None:
    first = sign_revocations(AUTHORITY, ["2a"], NOW, None)
    listed = x509.load_pem_x509_crl(first)
    assert listed.last_update_utc < NOW
    assert listed.next_update_utc == AUTHORITY.certificate.not_valid_after_utc
    assert is_signed_by(AUTHORITY, first)
    assert not is_signed_by(new_authority(NOW), first)
