"""A package of somebody else: a method, a data set and a verb."""
