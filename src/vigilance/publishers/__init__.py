"""A reader per publisher's own file, and the import of what it reads into a table of facts.

``registry.read`` turns a file into rows of a table; ``refresh.propose`` shows what would change and ``refresh.apply``
writes it. To add a publisher: one module with a function ``(path, as_of) -> Reading``, and a line in ``registry``.
"""
