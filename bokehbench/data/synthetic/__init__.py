"""Pieces of :class:`bokehbench.data.synthetic_dof.SyntheticDoF`: textures, shapes, scenes, users' files."""
