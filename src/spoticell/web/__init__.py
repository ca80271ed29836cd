"""The page that names cells, and the JSON API behind it (extra ``web``).

One process answers requests and never parses what people upload; each upload is read by a process of its own with
limits on memory, time and file size.  What is known about a job is in SQLite, its files are in its folder.
``serve`` starts it all; ``app`` puts the parts together.
"""
