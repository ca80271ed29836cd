"""Naming cells by the workers of a Dask cluster: what they do is in ``task``, who asks them in ``crew``."""
