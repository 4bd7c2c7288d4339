"""Photos of people's own, made into data sets."""
