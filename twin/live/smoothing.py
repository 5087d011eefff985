"""Noisy fixes made steady: a Kalman filter of constant velocity (white acceleration) over each track, all tracks at once.

The three axes are alike and share one covariance (Bar-Shalom, Li and Kirubarajan, "Estimation with Applications to
Tracking and Navigation", 2001, 6.2). Park metres, seconds of source time.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

#: One standard deviation of what people and vehicles speed up by between fixes, m/s².
ACCELERATION = 0.5
FASTEST_START = 1.5  # m/s, one standard deviation of the speed of somebody just heard of
#: After such a silence, or so many standard deviations off, a track begins anew.
SILENCE_SECS, JUMP_SIGMAS = 30.0, 12.0


class Kalman:
    """Place, velocity and their covariance of every track, by track number. One thread writes."""

    def __init__(self) -> None:
        self.xyz = np.zeros((0, 3))
        self.velocity = np.zeros((0, 3))
        self.time = np.full(0, -np.inf)
        self._cov = np.zeros((0, 3))  # of place, of place and velocity, of velocity

    def step(self, track: NDArray[np.int64], at: NDArray[np.float64], time: NDArray[np.float64],
             sigma: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
        """One newer fix of each of several tracks: place (n, 3), one standard deviation (n,) and which begin anew."""
        self._grow(int(track.max()) + 1 if len(track) else 0)
        noise = np.maximum(sigma, 0.01) ** 2
        with np.errstate(invalid="ignore"):
            dt = time - self.time[track]
        begins = ~(dt <= SILENCE_SECS)
        dt = np.where(begins, 0.0, dt)
        place = self.xyz[track] + self.velocity[track] * dt[:, None]
        pp, pv, vv = self._cov[track].T
        q = ACCELERATION**2
        pp, pv, vv = pp + 2 * dt * pv + dt**2 * vv + q * dt**4 / 4, pv + dt * vv + q * dt**3 / 2, vv + q * dt**2
        off = at - place
        begins |= (off**2).sum(axis=1) > JUMP_SIGMAS**2 * (pp + noise)
        gain_p, gain_v = pp / (pp + noise), pv / (pp + noise)
        place = np.where(begins[:, None], at, place + gain_p[:, None] * off)
        velocity = np.where(begins[:, None], 0.0, self.velocity[track] + gain_v[:, None] * off)
        pp, pv, vv = (1 - gain_p) * pp, (1 - gain_p) * pv, vv - gain_v * pv
        self.xyz[track], self.velocity[track], self.time[track] = place, velocity, time
        self._cov[track] = np.column_stack([np.where(begins, noise, pp), np.where(begins, 0.0, pv),
                                            np.where(begins, FASTEST_START**2, vv)])
        return place, np.sqrt(self._cov[track, 0]), begins

    def forget(self, tracks: NDArray[np.int64]) -> None:
        """Keep nothing of these tracks."""
        known = tracks[tracks < len(self.time)]
        self.xyz[known], self.velocity[known], self._cov[known], self.time[known] = 0.0, 0.0, 0.0, -np.inf

    def _grow(self, size: int) -> None:
        extra = size - len(self.time)
        if extra > 0:
            extra = max(extra, len(self.time))
            self.xyz, self.velocity, self._cov = (np.vstack([m, np.zeros((extra, 3))])
                                                  for m in (self.xyz, self.velocity, self._cov))
            self.time = np.concatenate([self.time, np.full(extra, -np.inf)])
