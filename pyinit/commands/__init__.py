"""One module a command: `main(argv)` takes the arguments as bytes and returns the exit code."""
