"""Catalogues of the page's messages, one file for each language; `recontool.report.language` reads them."""
