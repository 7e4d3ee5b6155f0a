"""An import that is killed anywhere and replayed ends with exactly the rows of one that nobody disturbed."""

import signal

import pytest

from tests.kill_drive import POINTS, drive, passage
from tests.kill_setting import prepared

pytestmark = pytest.mark.both_databases
MESSAGES, AT_ONCE = 90, 20


@pytest.fixture(scope="module")
def setting(tmp_path_factory):
    folder = tmp_path_factory.mktemp("kill")
    filled, file = prepared(folder, MESSAGES, patients=10)
    _, undisturbed = drive(filled, file, folder, "before_finish", 1_000_000)
    return folder, filled, file, undisturbed


@pytest.mark.timeout(300)
@pytest.mark.parametrize("point", POINTS)
def test_killed_anywhere_and_replayed_ends_with_exactly_the_right_rows(setting, point):
    folder, filled, file, undisturbed = setting
    status, there = drive(filled, file, folder, point, passage(point, MESSAGES, AT_ONCE), AT_ONCE)
    assert status == -signal.SIGKILL
    assert there == undisturbed
    assert len(there["results"]) == MESSAGES * 2
