"""What an approval or a release is for: one account with one address."""

from b2b.domain.hashing import digest


def subject_of(user_id: str, address: str) -> str:
    """Name an account and an address together, without either standing in the name."""
    return digest(f"{user_id.lower()}\n{address.strip().lower()}".encode())


def address_key(address: str) -> str:
    """Return the key under which an address is reserved: a hash, because keys carry no personal data."""
    return digest(address.strip().lower().encode())
