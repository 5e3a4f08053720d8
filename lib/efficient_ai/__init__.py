"""The shared library of the book *Efficient AI at Scale: ten papers you can run*.

Core modules know no paper: ``profiles``, ``ledger``, ``metering``, ``plotting``, ``data``, ``training``, ``parallel``, ``checks``.
One sub-package per paper (``propulate``, ...) imports core and never another paper.
"""

__version__ = "0.1.0"
