"""One hash for everything: keys, fingerprints and bodies."""

import hashlib


def digest(body: bytes) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(body).hexdigest()
