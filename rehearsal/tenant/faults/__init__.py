"""What can go wrong on command: faults, throttling, replication lag, all from one seed."""
