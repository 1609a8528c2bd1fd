"""The whole job, on the sample tenant or on accounts made from a list: a campaign from its list to redemption.

`python -m rehearsal run` starts Azurite, the sample tenant and the Functions host with the real `function_app.py`,
plays a story through them and judges what is left in the campaign, the ledger, the directory, the outbox and the log.
"""

from rehearsal.run.rehearse import LOG_FILE, perform, rehearse

__all__ = ["LOG_FILE", "perform", "rehearse"]
