"""A local Azure Functions host, which runs a real `function_app.py` as the host in Azure does.

Microsoft's own library (`azure-functions-runtime`) does indexing, binding, decoding and execution. The rest is rebuilt
here from the public sources of the Functions host and its extensions, and tests compare it with the answers of the real
host: queue listener, timers, addresses, routes, keys, admin endpoints and shutdown.

`python -m rehearsal.host --app DIR` runs it; `rehearsal.host.process.HostProcess` runs it from a test.

It differs from the real host in these points:

- Host and app are one process, or two with `--interpreter`. If the app calls exit or exceeds `functionTimeout`, the
  host fails every running invocation, as the real one does, and then exits. A crash ends both at once, and the messages
  return to the queue when their leases end. The real host starts another worker and continues. Here one process cannot
  load the app again, because the runtime library keeps it in module state. A test of a crash also has to see the host
  end.
- Killing the host also kills the app. In Azure a running call can complete more than a minute after its host has ended.
- Every fetched message is started at once. The real host can be stopped before it starts one; that message returns to
  the queue when its lease ends after ten minutes, as it does here after a kill.
- There is only one host, so there are no locks between hosts, and a file instead of a blob holds the state of timers.
- A schedule with a reversed range, or one that never fires, is refused. The real host accepts both, but does not do
  what their author meant (`rehearsal.host.ncrontab`).
- Triggers other than queue, timer and HTTP, output bindings other than the HTTP answer, and most endpoints under
  `/admin` are missing, because the app does not use them.
- A text that a function returns is sent unchanged. The real host first tries to parse it as JSON, and then indents it
  or takes status and body from it. Every function of this app returns an `HttpResponse`, so nothing depends on that.
- A status below 200 or above 599 becomes 500, because the web server here cannot send one and no client expects it.
- `/_rehearsal` is its own: it reports the end of invocations, and moves the clock of the app's process ahead.
- The home page at `/` has its own text, because the real one belongs to Microsoft.
"""
