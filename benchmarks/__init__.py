"""pyinit side by side with the programs it is held against. `python -m benchmarks --help`; docs/performance.md."""
