"""Trouble on command: faults, throttling and replication lag. One seed decides everything random in them."""
