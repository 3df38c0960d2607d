"""Every way in which the engine is broken on purpose is noticed by the oracle, a story or the live run."""

from pathlib import Path

import mutants
import oracle
import pytest

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(bool(oracle.missing), reason=oracle.missing)


def test_the_engine_as_it_is_raises_no_notice():
    assert mutants.noticed_by(None) == ""


@pytest.mark.parametrize("mutant", mutants.MUTANTS, ids=lambda mutant: mutant.name)
def test_noticed(mutant):
    assert mutants.noticed_by(mutant) != ""


def test_there_are_enough_of_them_and_no_two_are_alike():
    changes = {(mutant.module, mutant.old, mutant.new) for mutant in mutants.MUTANTS}
    assert len(changes) == len(mutants.MUTANTS) >= 30
