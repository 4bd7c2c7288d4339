"""The measurement: scores of outputs, recorded, scored from folders, verified."""
