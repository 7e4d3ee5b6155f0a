"""Commands of the group ``schedule``: the engine by hand, and the check and repair of what it filled."""

import json
import sys
from pathlib import Path
from typing import NoReturn

import click
from flask.cli import AppGroup

from clinic_tracker.domain.answer import answer
from clinic_tracker.domain.history_json import InvalidHistory, read_day, read_history, read_json
from clinic_tracker.queries.protocols import packaged_protocols

BAD_INPUT = 2

group = AppGroup("schedule", help="Compute, check and rebuild schedules.")
