"""The timer and its parts."""
