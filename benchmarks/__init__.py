"""How fast, how many statements, how much memory: measured side by side with what else could be done.

    BENCHMARK_DATABASE_URL=postgres://postgres@127.0.0.1:5432/cal_benchmark python -m benchmarks

Needs the extra `benchmarks` and PostgreSQL; the database is made, and emptied, by the benchmarks.
"""
