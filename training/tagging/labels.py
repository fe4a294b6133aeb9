"""Tag list and targets: how teachers' logits and exact labels become one target a tag.

targets.tsv: facet, tag, the teachers' outputs that bear on the tag (noisy-or over the outputs of one teacher, as the
harness does), the weight of mn04 against the mean of the FCNs, or a mixture: a weighted sum of other tags (facet/tag) and
single outputs (teacher:output) for tags that no teacher knows. AudioSet's "Soundtrack music" is left out on purpose: on
instrumental game and library music it is inverted. All targets are z-scores over clean music windows.
"""
import csv
import os

import numpy as np

COLUMNS = {"mn04": "audioset", "jamendo": "jamendo", "msd": "msd", "mtat": "mtat"}
HERE = os.path.dirname(os.path.abspath(__file__))


def read_recipe(path=os.path.join(HERE, "targets.tsv")):
    with open(path, newline="", encoding="utf-8") as f:
        return list(csv.DictReader(f, delimiter="\t"))


RECIPE = read_recipe()
TAGS = [(r["facet"], r["tag"]) for r in RECIPE]
INDEX = {k: i for i, k in enumerate(TAGS)}
SPEECH, MUSIC = INDEX[("activity", "speech")], INDEX[("activity", "music")]
NOT_TEACHER = {SPEECH, MUSIC}


def mixtures(path=os.path.join(HERE, "mixtures.tsv")):
    """Tags that are answered as a unit-length sum of other tags: [(tag index, [(weight, tag index)])]."""
    out = []
    with open(path, newline="", encoding="utf-8") as f:
        for row in csv.DictReader(f, delimiter="\t"):
            terms = [(float(t.split("*")[0]), INDEX[tuple(t.split("*")[1].split("/"))]) for t in row["terms"].split(";")]
            size = sum(w * w for w, _ in terms) ** 0.5
            out.append((INDEX[(row["facet"], row["tag"])], [(w / size, k) for w, k in terms]))
    return out


def mix_targets(z):
    """z [n, tags] with the tags of mixtures.tsv replaced."""
    out = z.copy()
    for i, terms in mixtures():
        out[:, i] = sum(w * z[:, k] for w, k in terms)
    return out


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def noisy_or(logits, columns):
    """Logit of 1 - prod(1 - p) over columns, [n]."""
    if len(columns) == 1:
        return logits[:, columns[0]].astype("float32")
    silent = np.log(np.clip(1 - sigmoid(logits[:, columns].astype("float32")), 1e-6, 1)).sum(1)
    p = np.clip(1 - np.exp(silent), 1e-6, 1 - 1e-6)
    return np.log(p) - np.log1p(-p)


class Targets:
    """Turns raw teacher logits into z-scored targets; the statistics come from the first call of fit()."""

    def __init__(self, names):
        self.names = names
        self.stats = None

    def parts(self, logits):
        """{(teacher, tag index or output name): logit [n]} of everything that the recipe mentions."""
        out = {}
        for i, row in enumerate(RECIPE):
            for teacher, column in COLUMNS.items():
                want = [self.names[teacher].index(t) for t in row[column].split(";") if t in self.names[teacher]]
                if want:
                    out[(teacher, i)] = noisy_or(logits[teacher], want)
            for item in filter(None, row["mixture"].split(";")):
                source = item.split("*")[1]
                if ":" in source:
                    teacher, name = source.split(":")
                    out[(teacher, name)] = logits[teacher][:, self.names[teacher].index(name)].astype("float32")
        return out

    def fit(self, logits):
        """Mean and deviation of every part, and of every combined tag, over clean music."""
        self.stats = {k: (float(v.mean()), float(v.std()) + 1e-6) for k, v in self.parts(logits).items()}
        self.scale = np.ones(len(TAGS), "float32")
        self.centre = np.zeros(len(TAGS), "float32")
        z = self(logits)
        self.centre, self.scale = z.mean(0), z.std(0) + 1e-6
        self.scale[list(NOT_TEACHER)] = 1
        return self

    def __call__(self, logits):
        """z [n, tags]; zero for tags without a teacher."""
        z = {k: (v - self.stats[k][0]) / self.stats[k][1] for k, v in self.parts(logits).items()}
        n = len(logits["mn04"])
        out = np.zeros((n, len(TAGS)), "float32")
        for i, row in enumerate(RECIPE):
            fcn = [z[(t, i)] for t in ("jamendo", "msd", "mtat") if (t, i) in z]
            own = z.get(("mn04", i))
            if own is not None and fcn:
                w = float(row["mn04_weight"])
                out[:, i] = w * own + (1 - w) * np.mean(fcn, axis=0)
            elif own is not None or fcn:
                out[:, i] = own if own is not None else np.mean(fcn, axis=0)
        for i, row in enumerate(RECIPE):
            for item in filter(None, row["mixture"].split(";")):
                weight, source = item.split("*")
                part = z[tuple(source.split(":"))] if ":" in source else out[:, INDEX[tuple(source.split("/"))]]
                out[:, i] += float(weight) * part
        return (out - self.centre) / self.scale
