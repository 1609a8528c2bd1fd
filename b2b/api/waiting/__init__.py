"""The part of the HTTP contract that is about an account whose invitation is out."""
