"""What it takes to send rows of a PostgreSQL table to Altcraft: this provider beside other ways, in one run.

    python -m benchmarks.sync --plot docs/sync.png      # everything; results in benchmarks/results/sync.json
    python -m benchmarks.sync --quick                   # small numbers, one round
    python -m benchmarks.sync --modes instant --contenders ours cursor
    python -m benchmarks.sync --profile                 # where the operator's time goes

It needs a PostgreSQL whose database it may create and drop (``--postgres``) and, the first time, a package index: each
contender has an environment of its own below ``.venv-benchmarks-sync``, made from ``requirements/benchmarks-*.txt``.
One that cannot be installed is left out, and the output says so. Linux only: memory is read from ``/proc``.

Three questions, one mode each:

``instant``
    Rows per second against an Altcraft that answers at once: the cost of the client. Beside the contenders, a bare
    server-side cursor reads the same rows and throws them away; nothing that reads row by row can be faster.
``latency``
    Altcraft takes a second for each batch. The ideal is that of the answers alone, a round of ``in flight`` batches per
    second: 4 x 10,000 rows / 1 s, so 10 s for 400,000 rows.
``growth``
    Time and memory of this provider over the number of rows.

A round of a contender is a fresh process, and contenders take turns. The process first sends a few rows, so that all
imports have happened, and is then measured once. Time runs from the call that opens the connection to the warehouse
until that call returns after the last answer. Memory is the peak of the resident set over what it was just before: the
kernel's own high-water mark (``VmHWM``), set back through ``clear_refs``, so that nothing samples and nothing slips
through. The sink counts the rows it is sent; a round in which they are not all there fails the benchmark.
"""
