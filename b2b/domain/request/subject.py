"""Keys of an account and its address. An approval or a release is valid for one such pair only."""

from b2b.domain.hashing import digest


def subject_of(user_id: str, address: str) -> str:
    """Return one key for an account and an address together. It is a hash, so that it reveals neither."""
    return digest(f"{user_id.lower()}\n{address.strip().lower()}".encode())


def address_key(address: str) -> str:
    """Return the key under which an address is reserved. It is a hash, because keys carry no personal data."""
    return digest(address.strip().lower().encode())
