"""A host that is killed in the middle of its work, and started again."""

from rehearsal.host.process import HostProcess, wait_until
from rehearsal.tenant import running
from tests.host.rig import APP, Rig, environment, request, seed, user_id

USERS = 12
LEASE = "2"


def test_after_a_kill_everything_ends_and_every_person_has_one_mail(storage: str) -> None:
    with running(seed(USERS)) as tenant:
        env = environment(
            tenant,
            storage,
            REHEARSAL_MESSAGE_LEASE_SECONDS=LEASE,
            B2B_REPLICATION_WINDOW_SECONDS="2",
            B2B_GRAPH_TIMEOUT_SECONDS="1",
        )
        with HostProcess(app_dir=APP, env=env) as host:
            app = Rig(tenant, storage, host)
            for number in range(USERS):
                app.send(request(number, requestId=f"r-{number}"))
            wait_until(lambda: len(tenant.control.mails()) >= 3, what="the first invitations")
            host.kill()
        killed_at = len(tenant.control.mails())
        assert killed_at < USERS, "all was done before the kill: this has shown nothing"
        with HostProcess(app_dir=APP, env=env) as host:
            app = Rig(tenant, storage, host)
            ids = [f"r-{number}" for number in range(USERS)]
            assert set(app.settled(*ids, seconds=60)) == {"invited"}
            assert app.waiting() == 0
        mailed = sorted(mail["userId"] for mail in tenant.control.mails())
    assert mailed == [user_id(number) for number in range(USERS)]
