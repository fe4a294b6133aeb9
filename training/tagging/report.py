#!/usr/bin/env python3
"""Tables of measured figures: Markdown to stdout and one row a tag to a TSV.

  report.py MODEL_FOLDER CALIBRATION.json TAGS.tsv NAME=SCORE.json [NAME=SCORE.json ...]

The score files are written by the harness' scorer with --json; the first name is the model itself.
"""
import argparse
import json
import os


def interval(v, c):
    return f"{v:.3f} [{c[0]:.3f}, {c[1]:.3f}]"


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("model")
    a.add_argument("calibration")
    a.add_argument("tags")
    a.add_argument("scores", nargs="+")
    o = a.parse_args()
    with open(os.path.join(o.model, "manifest.json")) as f:
        manifest = json.load(f)
    with open(o.calibration) as f:
        calibration = json.load(f)
    results = {}
    for item in o.scores:
        name, path = item.split("=", 1)
        with open(path) as f:
            results[name] = json.load(f)
    names = list(results)
    print("| macro ROC-AUC / AP [95 %] | tags | " + " | ".join(names) + " |")
    print("|---|---|" + "---|" * len(names))
    for facet in ("genre", "scene", "instrument", "mood", "ALL"):
        cells = [f"{interval(r['macro'][facet]['auc'], r['macro'][facet]['auc_ci'])} / {r['macro'][facet]['ap']:.3f}" for r in results.values()]
        print(f"| {facet} | {results[names[0]]['macro'][facet]['tags']} | " + " | ".join(cells) + " |")
    print()
    for name, r in results.items():
        for facet, d in r.get("paired", {}).items():
            if facet == "ALL":
                print(f"- {name}, paired difference to the baseline: AUC {interval(d['auc'], d['auc_ci'])}, AP {interval(d['ap'], d['ap_ci'])}")
    print()
    print("```json")
    print(json.dumps({**calibration["summary"], "activity": calibration["activity"], "bytes": manifest["bytes"],
                      "parameters": manifest["parameters"], "training": manifest["training"]}, indent=1))
    print("```")
    tables = {n: {(t["facet"], t["tag"]): t for t in r["tags"]} for n, r in results.items()}
    measured = {t["tag"]: t for t in calibration["tags"]}
    with open(o.tags, "w") as f:
        f.write("facet\ttag\tbasis\texperimental\tthreshold\tpositives\tnegatives\tchance_ap\t" + "\t".join(f"{n}_auc\t{n}_ap" for n in names)
                + "\tauc_low\tauc_high\tece\tbrier\tbrier_prevalence\tagreement_auc\n")
        for t in manifest["tags"]:
            key = (t["facet"], t["tag"])
            row = tables[names[0]].get(key)
            m = measured.get("/".join(key), {})
            cells = [t["facet"], t["tag"], t["basis"], "yes" if t["experimental"] else "no", t["threshold"]]
            cells += [row["pos"], row["neg"], f"{row['chance_ap']:.3f}"] if row else ["", "", ""]
            for n in names:
                own = tables[n].get(key)
                cells += [f"{own['auc']:.3f}", f"{own['ap']:.3f}"] if own else ["", ""]
            cells += [f"{v:.3f}" for v in row["auc_ci"]] if row else ["", ""]
            cells += [f"{m[k]:.3f}" if k in m else "" for k in ("ece", "brier", "brierPrevalence")]
            agreement = calibration["agreement"].get("/".join(key))
            cells.append(f"{agreement:.3f}" if agreement is not None else "")
            f.write("\t".join(str(c) for c in cells) + "\n")


if __name__ == "__main__":
    main()
