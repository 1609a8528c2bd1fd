"""The hash that is used for keys, fingerprints and bodies."""

import hashlib


def digest(body: bytes) -> str:
    """Return the SHA-256 of a body in hex."""
    return hashlib.sha256(body).hexdigest()
