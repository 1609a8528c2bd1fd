"""The HTTP contract of campaigns: send a list, judge, decide about and release its members, read their states."""
