#!/usr/bin/env python3
"""Writes model.onnx and a manifest (see ../MANIFEST.md) from a finished run, and checks the graph against PyTorch.

  export.py RUN/final.pt OUT_FOLDER --version 1.0.0 [--peer PEER/final.pt] [--rows ROWS.npz]

--peer: the mean of the weights of two runs that trained as peers. --rows: what teach_labels.py learnt. calibrate.py then
fills in calibration, thresholds and figures.
"""
import argparse
import hashlib
import json
import os
import pickle
import time

import numpy as np
import onnx
import onnxruntime
import torch

import front_end as fe
import labels
from net import Exported, student


def fold_mixtures(student):
    """Replaces the last layer's row of every tag in mixtures.tsv by the weighted sum of the rows it names.

    Chosen by hand on the development set: what the composer calls dramatic, uplifting or humorous is a mixture of other
    tags that the teachers do know. Logits are z-scores, so the terms are of one scale."""
    last = student.tag_head[-1]
    with torch.no_grad():
        weight, bias = last.weight.clone(), last.bias.clone()
        for i, terms in labels.mixtures():
            last.weight[i] = sum(w * weight[k] for w, k in terms)
            last.bias[i] = sum(w * bias[k] for w, k in terms)


def put_rows(student, path):
    """Puts in the rows that teach_labels.py fitted: log-odds from the old logit and the same inputs."""
    last = student.tag_head[-1]
    with np.load(path) as rows, torch.no_grad():
        for i, scale, weight, offset in zip(rows["tags"], rows["scale"], rows["weight"], rows["offset"]):
            last.weight[i] = scale * last.weight[i] + torch.from_numpy(weight).float()
            last.bias[i] = scale * last.bias[i] + offset


def load(path, peer=None):
    """Student with the averaged weights of a run (and of its peer), in evaluation mode, and the run's state."""
    state = torch.load(path, weights_only=False)
    if peer:
        other = torch.load(peer, weights_only=False)
        state["average"] = {k: (v + other["average"][k]) / 2 if v.dtype.is_floating_point else v for k, v in state["average"].items()}
        state["examples"] += other["examples"]
    statistics = pickle.loads(state["statistics"])
    model = student(len(labels.TAGS), len(statistics.centre), state["options"].get("narrow", False))
    model.load_state_dict(state["average"])
    return model.eval(), state


def store_half(path):
    """Stores the weights of a graph as float16 with a Cast each; runtimes fold it back to float32 when they load."""
    model = onnx.load(path)
    casts = []
    for tensor in model.graph.initializer:
        value = onnx.numpy_helper.to_array(tensor)
        if value.dtype != np.float32 or value.size < 256:
            continue
        name = tensor.name
        tensor.CopyFrom(onnx.numpy_helper.from_array(value.astype("float16"), name + ".half"))
        casts.append(onnx.helper.make_node("Cast", [name + ".half"], [name], to=onnx.TensorProto.FLOAT))
    for node in reversed(casts):
        model.graph.node.insert(0, node)
    onnx.save(model, path)


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("run")
    a.add_argument("out")
    a.add_argument("--version", required=True)
    a.add_argument("--id", default="earmark-tagger")
    a.add_argument("--half", action="store_true", help="store the weights as float16 (half the file; the arithmetic stays float32)")
    a.add_argument("--peer", help="final.pt of the run's peer")
    a.add_argument("--no-mixtures", action="store_true")
    a.add_argument("--rows", help="rows of the tag layer from teach_labels.py")
    o = a.parse_args()
    os.makedirs(o.out, exist_ok=True)
    net, state = load(o.run, o.peer)
    if not o.no_mixtures:
        fold_mixtures(net)
    if o.rows:
        put_rows(net, o.rows)
    model = Exported(net).eval()
    example = torch.randn(2, fe.FRAMES, fe.MEL_BANDS)
    path = os.path.join(o.out, "model.onnx")
    torch.onnx.export(model, (example,), path, input_names=["log_mel"], output_names=["logits", "embedding"], opset_version=17,
                      dynamic_axes={n: {0: "batch"} for n in ("log_mel", "logits", "embedding")}, dynamo=False)
    if o.half:
        store_half(path)
    onnx.checker.check_model(path)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    with torch.no_grad():
        want = [t.numpy() for t in model(example)]
    got = session.run(None, {"log_mel": example.numpy()})
    difference = max(float(np.abs(w - g).max()) for w, g in zip(want, got))
    if difference > (0.02 if o.half else 1e-3):
        raise SystemExit(f"the exported graph differs by {difference}")
    data = open(path, "rb").read()
    manifest = {
        "schemaVersion": 1, "kind": "tagger", "id": o.id, "version": o.version, "file": "model.onnx",
        "sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data),
        "parameters": sum(p.numel() for n, p in net.named_parameters() if not n.startswith("auxiliary")),
        "frontEnd": fe.MANIFEST,
        "input": {"name": "log_mel", "frames": fe.FRAMES, "bands": fe.MEL_BANDS, "hopFrames": 125},
        "outputs": {"logits": {"name": "logits", "size": len(labels.TAGS)}, "embedding": {"name": "embedding", "size": want[1].shape[1]}},
        "tags": [{"facet": f, "tag": t, "calibration": {"kind": "platt", "a": 1.0, "b": -1.5}, "threshold": 0.5, "experimental": True,
                  "basis": "teachers"} for f, t in labels.TAGS],
        "golden": {"frontEnd": "front-end.json", "model": "tagger-1.json"},
        "training": {"seed": state["seed"], "examplesSeen": state["examples"], "date": time.strftime("%Y-%m-%d", time.gmtime())},
    }
    with open(os.path.join(o.out, "manifest.json"), "w") as f:
        json.dump(manifest, f, indent=1)
    print(f"{len(data)} bytes, {manifest['parameters']} parameters, graph differs from PyTorch by {difference:.1e}")


if __name__ == "__main__":
    main()
