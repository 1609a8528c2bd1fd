"""A local Azure Functions host: drives a real `function_app.py` as the host in Azure does.

Indexing, binding, decoding and execution are Microsoft's own library (`azure-functions-runtime`). What surrounds it in
Azure is rebuilt here from the public sources of the Functions host and its extensions, and held to what the real host
answers: queue listener, timers, addresses, routes, keys, admin endpoints, shutdown.

`python -m rehearsal.host --app DIR` runs it; `rehearsal.host.process.HostProcess` does so from a test.

Where it differs from the real one, and why:

- Host and app are one process, or two with `--interpreter`. When the app calls exit or outlives `functionTimeout`, the
  host fails every invocation that runs, as the real one does, and then ends; a crash ends both at once, and what ran
  comes back when its lease ends. The real host starts another worker and goes on. The runtime library keeps the app in
  module state, so one process cannot load it anew, and a host that ends is what a test of a crash has to see.
- For the same reason a killed host takes its app along. In Azure a call that is under way can complete more than a
  minute after its host is gone.
- A message that was fetched is begun at once. The real host that is stopped in between keeps the lease of a message
  that it has fetched and not begun, which comes back ten minutes later, as it does here after a kill.
- There is one host, so nothing is locked against a second one, and the state of timers is a file instead of a blob.
- A schedule with a range backwards, or one that never comes, is refused. The real host takes both and does what their
  author did not mean (`rehearsal.host.ncrontab`).
- Triggers other than queue, timer and HTTP, output bindings other than the HTTP answer, and most endpoints under
  `/admin` are missing: the app has no use for them.
- A text that a function returns is sent as it is. The real host reads it as JSON first, and indents it or takes status
  and body from it; every function of this app returns an `HttpResponse`, so nothing depends on that.
- A status below 200 or above 599 becomes 500: the web server here cannot send one, and no client expects it.
- The home page at `/` has a text of its own: the real one is Microsoft's.
"""
