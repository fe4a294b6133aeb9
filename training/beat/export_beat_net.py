"""Writes the beat network for the product: two ONNX graphs, a manifest and a golden answer.

    export_beat_net.py RUN OUT --version 1.0.0 --golden ../golden/beat-1.json

RUN holds scorer.pt and downbeats.pt of the fitting scripts. Every graph maps rows to one number a row; the networks of a
run are averaged inside. The rows of one call are one recording. The graphs are checked against PyTorch.
"""
import argparse
import hashlib
import json
import os

import numpy as np
import onnx
import onnxruntime
import torch

import beat_data
import fit_beat_net
import fit_downbeat_net


def load(run):
    state = torch.load(os.path.join(run, "scorer.pt"))
    count, _, hidden = state["first"].shape
    scorer = fit_beat_net.Scorer(state["mean"].numpy(), state["spread"].numpy(), count, hidden, state["last"].shape[1])
    scorer.load_state_dict(state)
    bars = []
    for state in torch.load(os.path.join(run, "downbeats.pt")):
        model = fit_downbeat_net.Bars()
        model.load_state_dict(state)
        bars.append(model.eval())
    return scorer.eval(), len(scorer.mean), fit_downbeat_net.OneTrain(bars).eval(), 53


def siblings_of(count):
    """Siblings that the product can make without a file: (row * 5 + k * 3) mod (rows + 1)."""
    k, row = np.meshgrid(np.arange(beat_data.SIBLINGS), np.arange(count))
    return torch.tensor(((row * 5 + k * 3) % (count + 1)).astype(np.int32))


def write(model, columns, path, related=False):
    inputs = lambda count: (torch.rand(count, columns), *([siblings_of(count)] if related else []))
    names = ["rows", "siblings"][:1 + related]
    torch.onnx.export(model, inputs(40), path, input_names=names, output_names=["scores"], opset_version=17,
                      dynamic_axes={name: {0: "count"} for name in (*names, "scores")}, dynamo=False)
    onnx.checker.check_model(path)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    for count in (5, 133):
        values = inputs(count)
        with torch.no_grad():
            want = model(*values).numpy()
        got = session.run(None, {name: value.numpy() for name, value in zip(names, values)})[0]
        assert got.shape == want.shape and np.abs(got - want).max() < 1e-4, np.abs(got - want).max()
    with open(path, "rb") as f:
        data = f.read()
    return {"file": os.path.basename(path), "sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data),
            "parameters": sum(p.numel() for p in model.parameters()), "columns": columns}


def golden(model, columns, count, related=False):
    """Rows that the product can make without a file, and the answers: value k of a row is (k * 7919 + row * 104729) mod 1000 / 1000."""
    k, row = np.meshgrid(np.arange(columns), np.arange(count))
    rows = torch.tensor(((k * 7919 + row * 104729) % 1000 / 1000).astype(np.float32))
    with torch.no_grad():
        return [round(float(v), 5) for v in model(rows, *([siblings_of(count)] if related else []))]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run")
    parser.add_argument("out")
    parser.add_argument("--version", default="1.0.0")
    parser.add_argument("--golden", required=True)
    args = parser.parse_args()
    torch.set_num_threads(1)
    trains, train_columns, downbeats, downbeat_columns = load(args.run)
    os.makedirs(args.out, exist_ok=True)
    manifest = {"schemaVersion": 1, "kind": "beat", "id": "earmark-beat", "version": args.version,
                "trains": dict(write(trains, train_columns, os.path.join(args.out, "trains.onnx"), True), siblings=beat_data.SIBLINGS),
                "downbeats": write(downbeats, downbeat_columns, os.path.join(args.out, "downbeats.onnx"))}
    with open(os.path.join(args.out, "manifest.json"), "w", encoding="utf-8") as f:
        f.write(json.dumps(manifest, indent=2) + "\n")
    with open(args.golden, "w", encoding="utf-8") as f:
        f.write(json.dumps({"rows": 12, "trains": golden(trains, train_columns, 12, True), "downbeats": golden(downbeats, downbeat_columns, 12)}) + "\n")
    print(json.dumps(manifest))


if __name__ == "__main__":
    main()
