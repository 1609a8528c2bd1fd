"""The HTTP contract of campaigns: a list comes in, is judged, decided about and released; names come out."""
