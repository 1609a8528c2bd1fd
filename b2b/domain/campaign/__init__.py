"""Campaigns, pure: reading a list, the states of its members, the decisions about them, and the lists that come out."""
