"""A local Azure Functions host: drives a real `function_app.py` as the host in Azure does.

Indexing, binding, decoding and execution are Microsoft's own library (`azure-functions-runtime`). What surrounds it in
Azure is rebuilt here from the public sources of the Functions host and its extensions: queue listener, timers, routes,
keys, admin endpoints, shutdown. `python -m rehearsal.host --app DIR` runs it; `rehearsal.host.process.HostProcess`
does so from a test.

Where it is simpler than the real one: host and app are one process, or two with `--interpreter`, and a native crash or
a `functionTimeout` ends both (the real host starts a new worker); there is one host, so nothing is locked against a
second one; timer state is a file instead of a blob; triggers other than queue, timer and HTTP, and output bindings
other than the HTTP answer, are refused.
"""
