"""Methods that are commands of others: described in a file, given files, run, their pictures read back."""
