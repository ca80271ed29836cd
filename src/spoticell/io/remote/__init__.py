"""Cells on object stores and web servers, and results brought there; needs the extra ``remote``."""
