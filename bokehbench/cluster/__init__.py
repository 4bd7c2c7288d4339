"""Work on many processes and machines (docs/cluster.md).

Dask is an extra, ``bokehbench[cluster]``, and imported where ``--scheduler`` is given, never otherwise.
"""
