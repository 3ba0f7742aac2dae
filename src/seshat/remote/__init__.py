"""Work on a rented machine: plain ssh, rsync and tmux, so that any host will do.

The host comes from the command line or ``SESHAT_REMOTE``, never from a project's files. What is sent is a list that
:mod:`~seshat.remote.parcel` makes, and nothing else.
"""
