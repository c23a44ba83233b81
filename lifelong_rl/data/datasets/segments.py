"""Which rows of a dataset file are transitions, and where its episodes end. Needs no torch."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, kw_only=True)
class Segments:
    """One entry per row of the file, [rows] bool.

    #   row             0 1 2 3 4 5 6      two streams: rows 0-3 and 4-6; the goal changes after row 1
    #   is_transition   1 1 1 0 1 1 0      rows 3 and 6 have no next row
    #   ended           0 1 1 . 0 1 .      so the episodes have 2, 1 and 2 steps
    """

    is_transition: np.ndarray
    ended: np.ndarray  # last transition of an episode
    terminated: np.ndarray  # the task was over for good after this transition

    @property
    def lengths(self) -> np.ndarray:
        """Steps of each episode, in order."""
        ends = np.flatnonzero(self.ended[self.is_transition])
        return np.diff(ends, prepend=-1)

    @property
    def first_rows(self) -> np.ndarray:
        """The file's row at which each episode begins, in order."""
        rows = np.flatnonzero(self.is_transition)
        ends = np.flatnonzero(self.ended[rows])
        return rows[np.concatenate([[0], ends[:-1] + 1])] if len(ends) else rows[:0]


def cut_into_segments(ended: np.ndarray, is_transition: np.ndarray, terminated: np.ndarray) -> Segments:
    """Episodes end where `ended`, before each row that is no transition, and with the file."""
    ended = ended.copy()
    ended[:-1] |= ~is_transition[1:]
    ended[-1] = True
    return Segments(is_transition=is_transition, ended=ended & is_transition, terminated=terminated & is_transition)
