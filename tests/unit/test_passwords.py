"""Secrets and their hashes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.core.broker.passwords import (
    hash_secret,
    new_secret,
    password_line,
    verify_secret,
)


def test_a_hash_that_mosquitto_passwd_made_verifies() -> None:
    made_by_mosquitto_2_0_11 = (
        "$7$101$8TWFzJ5Kvv9t8h9c$XPyU25m7pA45D8Fo+LBnLSTFIpBhE7Jj"
        "jvqy9Kg8FA8s/IzC/JKo0iO/RT57ih/rb1KnDv8tjBGXcWifiq5Z+A=="
    )
    assert verify_secret("open sesame", made_by_mosquitto_2_0_11)
    assert not verify_secret("open sesame!", made_by_mosquitto_2_0_11)


# HMAC pads short keys with NUL (RFC 2104, section 2): "a" and "a" with a NUL behind it are one key.
without_nul = st.text(st.characters(codec="utf-8", exclude_characters="\0"))


@given(without_nul, without_nul)
def test_only_the_secret_verifies(secret: str, other: str) -> None:
    stored = hash_secret(secret)
    assert verify_secret(secret, stored)
    assert verify_secret(other, stored) == (secret == other)


def test_equal_secrets_have_different_hashes() -> None:
    assert hash_secret("same") != hash_secret("same")


@pytest.mark.parametrize("stored", ["", "$6$c2FsdA==$aGFzaA==", "plain", "$7$101$x"])
def test_a_hash_of_another_kind_never_verifies(stored: str) -> None:
    assert not verify_secret("", stored)


def test_secrets_have_256_bits_and_need_no_quoting() -> None:
    secrets = {new_secret() for _ in range(100)}
    assert len(secrets) == 100
    assert all(len(secret) == 43 for secret in secrets)
    assert all(secret.replace("-", "").replace("_", "").isalnum() for secret in secrets)


@pytest.mark.parametrize("username", ["", "a:b", "a\nb", "a\u0000"])
def test_a_name_that_would_break_the_file_is_refused(username: str) -> None:
    with pytest.raises(ValueError, match="user name"):
        password_line(username, hash_secret("x"))
