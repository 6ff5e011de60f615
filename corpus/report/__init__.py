"""A corpus on one page: how far it has come, what it is made of, what it lacks."""
