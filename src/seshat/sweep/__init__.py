"""Search over settings: which of them make the best model, judged on validation.

Each trial is a training with other settings into a folder of its own below ``.seshat/sweep``; the models of the project
are left alone. What was tried stands in a database, so that a search that was killed goes on, and several machines can
share one.
"""
