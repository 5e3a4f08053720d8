"""Builds the book: environment, execution of the chapters, assignments, site. Not for readers of the book."""
