"""The condition language: text in, a typed tree out. Nothing here ever executes a condition's text.

or < unless, and < not < comparison (does not chain) < + - < * / < unary minus
primary = number | metric | func "(" metric "[" duration "]" ")" | abs(...) | "(" expr ")"

Source: SPEC section 7.
"""
