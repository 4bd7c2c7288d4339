"""Portrait photos of phones, with the depth map inside, to the layout of :class:`bokehbench.data.IPhoneDepth`."""
