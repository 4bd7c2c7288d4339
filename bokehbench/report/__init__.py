"""``bokehbench report``: a board as a folder of HTML that opens from disk. Starts without torch."""
