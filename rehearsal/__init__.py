"""A tenant on your laptop: Microsoft Graph double, local Functions host, Azurite and sample data. Never deployed."""
