"""The facts every other layer reads: words, tables and result types. No I/O, no third-party imports."""
