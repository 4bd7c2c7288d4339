"""From photos that people hold to data sets: files in, a folder that a data set reads out."""
