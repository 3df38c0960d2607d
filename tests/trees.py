"""Hypothesis strategies: conditions as trees, and texts near the grammar."""

from hypothesis import strategies as st

from recontool.alerts.language.tree import (
    FUNCTIONS,
    INVERTED,
    Arithmetic,
    Compare,
    Logic,
    Metric,
    Number,
    Unary,
    Window,
)
from recontool.model.catalogue import CATALOGUE

metrics = st.builds(Metric, st.sampled_from(sorted(CATALOGUE)))
windows_us = st.integers(1, 7 * 86400 * 1000).map(lambda ms: ms * 1000)
constants = st.builds(Number, st.floats(0, 1e12, allow_subnormal=False) | st.integers(0, 500).map(float))
terms = (
    constants
    | metrics
    | st.builds(Window, st.sampled_from([name for name in FUNCTIONS if name != "absent"]), metrics, windows_us)
)
numbers = st.recursive(
    terms,
    lambda inner: (
        st.builds(Arithmetic, st.sampled_from("+-*/"), inner, inner)
        | st.builds(Unary, st.sampled_from(["-", "abs"]), inner)
    ),
    max_leaves=6,
)
conditions = st.recursive(
    st.builds(Compare, st.sampled_from(sorted(INVERTED)), numbers, numbers)
    | st.builds(Window, st.just("absent"), metrics, windows_us),
    lambda inner: (
        st.builds(Logic, st.sampled_from(["and", "or", "unless"]), inner, inner)
        | st.builds(Unary, st.just("not"), inner)
    ),
    max_leaves=6,
)
PIECES = (
    *"()[]+-*/<>=!&|'\"{};:., \t\n\x00é\\%^~`$#@?",
    ">=", "<=", "==", "!=", "and", "or", "unless", "not", "abs", "1e", "1e999", "0x1f", ".5", "5m", "[1m]", "[8d]", "[",
    "rate", "rate(", "reconnections", "reconnections_per_minute", "avg_message_latency_ms", "__import__('os')", "lambda:",
    "3", "0.95", "1_000", "nan", "inf", "True", "None", "x" * 50,
)  # fmt: skip
near_texts = st.lists(st.sampled_from(PIECES), max_size=30).flatmap(
    lambda pieces: st.sampled_from(["", " "]).map(lambda space: space.join(pieces))
)
