"""``bokehbench app``: a photo, a click where to focus, and a slider for the aperture, in the browser."""
