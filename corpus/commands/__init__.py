"""The verbs of the `corpus` command, one short function each, loading what it needs inside.

This is the one place where the packages align, annotate and train are brought
together with corpus; nothing else in corpus imports them.
"""
