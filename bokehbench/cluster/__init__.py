"""Work on many processes and machines, by Dask (docs/cluster.md).

Imported where ``--scheduler`` or ``--workers`` is given, never otherwise: Dask is an extra, ``bokehbench[cluster]``.
"""
