"""Asks a real tenant what nobody can know without one: how the service behaves where nobody says.

Never deployed. It shares no code with the app and none with the rehearsal; what joins them is the file it writes.
"""
