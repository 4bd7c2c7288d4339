"""Results from outsiders: one file that holds all that a reviewer needs to score the pictures again."""
