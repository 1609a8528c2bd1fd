"""The whole job on the sample tenant: every request is sent, every person redeems, every end is compared.

`python -m rehearsal run` starts Azurite, the sample tenant and the Functions host with the real `function_app.py`,
plays the sample through them and judges what is left in the ledger, in the directory, in the outbox and in the log.
"""

from rehearsal.run.rehearse import LOG_FILE, rehearse

__all__ = ["LOG_FILE", "rehearse"]
