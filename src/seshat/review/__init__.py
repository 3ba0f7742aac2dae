"""Tables that people fill in: what is proposed, what they decide, and the page on which they do it.

A queue (:class:`~seshat.review.queue.Queue`) is one file in :mod:`seshat.review.queues`. It says what is asked and what
stands in its columns; reading, writing, the page, the command and the routes of the server follow from that.
"""
