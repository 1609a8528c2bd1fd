"""The app under the host sends metrics if its environment has a connection string, as in a deployment."""

from rehearsal.host.process import wait_until
from tests.host.rig import request, rig
from tests.support.ingestion import ingestion


def test_a_sweep_sends_the_metrics_that_the_process_has_counted(storage: str) -> None:
    with ingestion() as received:
        settings = {"APPLICATIONINSIGHTS_CONNECTION_STRING": received.connection_string}
        with rig(storage, users=1, **settings, WEBSITE_SITE_NAME="func-b2b-test") as app:
            app.send(request(0, requestId="counted"))
            assert app.settled("counted") == ["invited"]
            assert app.host.run_function("sweep")
            wait_until(lambda: bool(received.points("b2b.sweep.runs")), 30, "the figures")
    assert received.sums("b2b.requests")["queue", "invited"] == 1
    assert received.sums("b2b.invitations") == {("sent",): 1}
    assert {envelope["tags"]["ai.cloud.role"] for envelope in received.envelopes} == {"func-b2b-test"}
