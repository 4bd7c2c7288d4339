"""Two photos of one view, at a small and a large aperture, made into a pair of EBB!'s kind."""
