"""The compiled core: reads logs and folds their events as logs/ and metrics/ do, many times faster.

C sources in src/, without Python's headers, called through ctypes; without a compiler the reference does the same work.
"""
