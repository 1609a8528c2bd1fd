"""The sweep, which the timer starts, and its parts."""
