"""What runs beside a student's code: the only part of the classroom that the isolated process can read.

Standard library, NumPy and, where it is there already, torch; nothing of the book.
"""
