"""The soak: thousands of requests to two hosts on one storage account, with killed hosts and a faulty tenant.

`python -m rehearsal.soak` starts everything and sends the requests. It kills one host after the other while the app
processes them, and lets some people redeem. At the end it checks that every request has ended, that each person got
one invitation, and that nothing is lost.
"""

from rehearsal.soak.plan import Plan
from rehearsal.soak.run import LOGS, soak

__all__ = ["LOGS", "Plan", "soak"]
