"""One module per verb of the command line, each with ``main(argv) -> int``; argv[0] is the verb."""
