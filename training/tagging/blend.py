#!/usr/bin/env python3
"""Mean of ranks of several prediction files, tag by tag (a tag that one file lacks comes from the others).

  blend.py OUT.jsonl A.jsonl B.jsonl ...
"""
import json
import sys

import numpy as np


def main():
    out, *paths = sys.argv[1:]
    if len(paths) < 2:
        sys.exit(__doc__)
    read = []
    for path in paths:
        with open(path) as f:
            read.append({o["file"]: {(a, t): v for a, tags in o["scores"].items() for t, v in tags.items()} for o in map(json.loads, f)})
    files = sorted(read[0])
    ranks = {}
    for scores in read:
        for key in scores[files[0]]:
            v = np.array([scores[f][key] for f in files])
            ranks.setdefault(key, []).append(np.argsort(np.argsort(v)) / (len(v) - 1))
    with open(out, "w") as f:
        for i, name in enumerate(files):
            scores = {}
            for (facet, tag), r in ranks.items():
                scores.setdefault(facet, {})[tag] = round(float(np.mean([x[i] for x in r])), 6)
            f.write(json.dumps({"file": name, "scores": scores}) + "\n")


if __name__ == "__main__":
    main()
