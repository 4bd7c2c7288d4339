"""Results on boards: standings, statistics, pages. Starts without torch, knows no model."""
