"""Reliability of probabilities: shared by fit_decision.py and calibration.py."""
import numpy as np

EDGES = np.linspace(0, 1, 11)


def balanced(y):
    """Weights (n,) that make right answers (y = 1) and others (y = 0) count the same in all; their sum is 1."""
    return np.where(y > 0, 0.5 / y.sum(), 0.5 / (1 - y).sum())


def reliability(p, y):
    """
    Expected calibration error with both classes weighted equally, and the curve behind it.

    p: probabilities (n,), 0..1; y: 1 where the answer was right, else 0 (n,). Returns the error, 0..1, and for every tenth
    that holds any: its two edges, the mask of its members (n,), mean prediction and share that was right.
    """
    w = balanced(y)
    cell = np.clip(np.digitize(p, EDGES) - 1, 0, 9)
    curve, error = [], 0.0
    for k in range(10):
        m = cell == k
        if m.any():
            mean, share = np.average(p[m], weights=w[m]), np.average(y[m], weights=w[m])
            error += w[m].sum() * abs(mean - share)
            curve.append((EDGES[k], EDGES[k + 1], m, mean, share))
    return error, curve
