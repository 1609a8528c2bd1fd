"""The timer trigger."""

import azure.functions as func

from b2b.bootstrap import services

functions = func.Blueprint()  # type: ignore[no-untyped-call]  # the library has no annotation here


@functions.timer_trigger(arg_name="timer", schedule="%B2B_SWEEP_SCHEDULE%", run_on_startup=False)
async def sweep(timer: func.TimerRequest) -> None:  # noqa: ARG001  the binding wants the parameter
    """Run the sweep."""
    await services().sweep.run()
