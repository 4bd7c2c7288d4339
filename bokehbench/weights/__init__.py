"""Published weights of the three papers, read from the files of their authors."""
