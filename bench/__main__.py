"""``make bench``: every benchmark in turn, each printing its own table."""

from __future__ import annotations

from bench import manifest_read, planning_memory, tls_mmap


def main() -> None:
    for benchmark in (manifest_read, planning_memory, tls_mmap):
        print(f"\n== {benchmark.__name__}: {(benchmark.__doc__ or '').splitlines()[0]}\n", flush=True)
        benchmark.main()


if __name__ == "__main__":
    main()
