"""What changed since last week, why, and what of it is worth a person's time.

``sites`` is what is kept of a site each week, ``compare`` the ledger of changes, ``conditions`` and ``reports`` what
calls for an alert, ``decide`` which of it is told, ``words`` how it reads, ``emit`` and ``webhook`` how it leaves.
"""
