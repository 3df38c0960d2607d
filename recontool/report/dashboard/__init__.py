"""The live page: the five views of a running coordinator, made of the very pieces the report is made of."""
