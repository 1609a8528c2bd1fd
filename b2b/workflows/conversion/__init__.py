"""One account's conversion: deciding, claiming, inviting, and keeping its requests in step."""
