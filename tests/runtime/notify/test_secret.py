"""Secrets come from the environment and show up nowhere."""

import base64

import pytest

from recontool.model.errors import UsageError
from recontool.runtime.notify.secret import Secret, filled_in, scrubbed

HOOK = "https://user:pa55word@hooks.example.org/services/T00/B00/s3cr3t?token=t0ken"


def test_variables_are_filled_in_where_they_stand():
    assert filled_in("a ${ONE}-${TWO} $ONE", {"ONE": "1", "TWO": "${ONE}"}, "") == "a 1-${ONE} $ONE"


@pytest.mark.parametrize(
    ("text", "message"),
    [("${NOT_SET}", "variable NOT_SET is not set"), ("${}", "variable's name"), ("${a b}", "variable's name")],
)
def test_a_missing_variable_is_an_error_with_its_place(text, message):
    with pytest.raises(UsageError, match=rf"(?s)^f\.yaml:3:5: .*{message}") as caught:
        filled_in(f"top-secret {text}", {"OTHER": "value"}, "f.yaml:3:5")
    assert "top-secret" not in str(caught.value)


def test_a_secret_does_not_show_itself():
    secret = Secret("hidden")
    assert "hidden" not in f"{secret} {secret!r} {[secret]}"
    assert secret.reveal() == "hidden"


@pytest.mark.parametrize(
    ("secret", "said"),
    [
        ("hunter22", "535 no such user hunter22"),
        ("hunter22", f"AUTH PLAIN {base64.b64encode(b'hunter22').decode()}"),
        ("p@ss/word", "url was smtp://me:p%40ss%2Fword@host"),
        ("Bearer abcdef", "token abcdef is unknown"),
        (HOOK, f"cannot reach {HOOK}"),
        (HOOK, "not found: /services/T00/B00/s3cr3t?token=t0ken"),
        (HOOK, "not found: services/T00/B00/s3cr3t"),
        (HOOK, "bad login pa55word"),
    ],
)
def test_no_form_of_a_secret_is_left(secret, said):
    clean = scrubbed(said, [Secret(secret)])
    assert clean != said
    for part in ("hunter22", "aHVudGVy", "p%40ss", "abcdef", "s3cr3t", "t0ken", "pa55word"):
        assert part not in clean


def test_other_text_is_left_alone():
    assert scrubbed("connection refused", [Secret("other"), Secret("e"), Secret("http://h/")]) == "connection refused"
