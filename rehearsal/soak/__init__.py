"""The soak: two hosts on one storage, thousands of requests, hosts killed all the time, a tenant that misbehaves.

`python -m rehearsal.soak` starts everything, sends the requests, kills one host after the other while they are worked
on, lets some people redeem, and judges what is left: every request at its end, one invitation each, nothing lost.
"""

from rehearsal.soak.plan import Plan
from rehearsal.soak.run import LOGS, soak

__all__ = ["LOGS", "Plan", "soak"]
