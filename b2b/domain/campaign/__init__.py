"""The rules of campaigns, without I/O: lists, members, decisions, runs and the files that callers download."""
