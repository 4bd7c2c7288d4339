"""Results, leaderboards, statistics and the runner. What only reads files starts without torch."""
