"""The re-ranker: log-odds that a head follows a tail, from the cosines of the components, learnt from ranked lists."""
import numpy as np

HIDDEN, STEPS, RATE, DECAY = 8, 300, 0.03, 1e-3


def forward(p, x):
    hidden = np.tanh(x @ p["hidden"].T + p["hiddenBias"])
    return x @ p["linear"] + hidden @ p["output"], hidden


def gradients(p, x, hidden, d):
    """Of the parameters, for the gradient d of the outputs."""
    x, hidden, d = x.reshape(-1, x.shape[-1]), hidden.reshape(-1, hidden.shape[-1]), d.reshape(-1)
    inner = (d[:, None] * p["output"]) * (1 - hidden ** 2)
    return dict(linear=d @ x, output=d @ hidden, hidden=inner.T @ x, hiddenBias=inner.sum(0))


def train(lists, good, bad, seed=0):
    """Fits ranked lists by softmax (Adam), then the log-odds by Platt scaling.

    lists: [(cosines [queries, heads, components], weight)], the true head first; good, bad: cosines [pairs, components] that
    calibrate: a pair as likely good as bad. Returns the parameters as the product's model takes them.
    """
    rnd = np.random.default_rng(seed)
    n = good.shape[1]
    p = dict(linear=np.full(n, 6.0), output=rnd.normal(0, 0.3, HIDDEN), hidden=rnd.normal(0, 1, (HIDDEN, n)), hiddenBias=rnd.normal(0, 0.5, HIDDEN))
    moment = {k: np.zeros_like(v) for k, v in p.items()}
    square = {k: np.zeros_like(v) for k, v in p.items()}
    for step in range(1, STEPS + 1):
        total = {k: DECAY * v for k, v in p.items()}
        for cosines, weight in lists:
            scores, hidden = forward(p, cosines)
            e = np.exp(scores - scores.max(1, keepdims=True))
            d = e / e.sum(1, keepdims=True)
            d[:, 0] -= 1
            for k, g in gradients(p, cosines, hidden, weight * d / len(cosines)).items():
                total[k] = total[k] + g
        for k in p:
            moment[k] = 0.9 * moment[k] + 0.1 * total[k]
            square[k] = 0.99 * square[k] + 0.01 * total[k] ** 2
            p[k] = p[k] - RATE * (moment[k] / (1 - 0.9 ** step)) / (np.sqrt(square[k] / (1 - 0.99 ** step)) + 1e-8)
    x = np.concatenate([forward(p, good)[0], forward(p, bad)[0]])
    y = np.r_[np.ones(len(good)), np.zeros(len(bad))]
    w = np.r_[np.full(len(good), 0.5 / len(good)), np.full(len(bad), 0.5 / len(bad))]
    a, b = 1.0, float(-x.mean())
    for _ in range(50):
        chance = 1 / (1 + np.exp(-np.clip(a * x + b, -30, 30)))
        slope, curve = w * (chance - y), w * chance * (1 - chance)
        hessian = np.array([[(curve * x * x).sum(), (curve * x).sum()], [(curve * x).sum(), curve.sum()]]) + 1e-6 * np.eye(2)
        move = np.linalg.solve(hessian, [(slope * x).sum(), slope.sum()])
        move *= min(1.0, 1.0 / np.abs(move).max())
        a, b = a - move[0], b - move[1]
    return dict(hidden=p["hidden"].tolist(), hiddenBias=p["hiddenBias"].tolist(), output=(a * p["output"]).tolist(),
                linear=(a * p["linear"]).tolist(), bias=float(b))


def logits(net, cosines):
    p = {k: np.array(v) for k, v in net.items()}
    return forward(p, cosines)[0] + net["bias"]
