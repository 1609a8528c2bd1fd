"""Rehearse a campaign from its list to redemption, on the sample tenant or on accounts made from a list of your own.

`python -m rehearsal run` starts Azurite, a tenant and the Functions host with the real `function_app.py`. It plays a
story on them, and then checks the campaign, the ledger, the directory, the outbox and the log.
"""

from rehearsal.run.rehearse import LOG_FILE, perform, rehearse

__all__ = ["LOG_FILE", "perform", "rehearse"]
