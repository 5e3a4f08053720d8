"""The sides of ``benchmarks/jigsaw.py``: one MLP block, shared over gloo ranks in five ways."""
