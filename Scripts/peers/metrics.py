#!/usr/bin/env python3
"""Measures two label maps with the field's Python packages, each label cut to its box first.

    metrics.py MASKS [--runs N] [--with-medpy]

Prints one JSON object: seconds (median), all, values by label, seconds by package.

What each label is measured with, the fastest way of calling each package that gives all numbers:
  counts               NumPy
  surface elements     surface-distance: distances once, every metric from them
  boundary voxels      SciPy's erosion and distance transform, once for each direction, every metric from them; this is what
                       MedPy and MONAI do inside, but their functions start over for each metric and take whole volumes
--with-medpy also times MedPy's own functions, as its users call them.
"""
import argparse
import json
import resource
import statistics
import time

import nibabel
import numpy as np
from scipy import ndimage

TOLERANCES = (1, 2)


def surface_distance_package():
    """The package predates NumPy 2 and today's SciPy: give it back the names it uses."""
    for old, new in (("Inf", np.inf), ("NaN", np.nan)):
        if not hasattr(np, old):
            setattr(np, old, new)
    for module in ("filters", "morphology"):
        if not hasattr(ndimage, module):
            setattr(ndimage, module, ndimage)
    from surface_distance import metrics
    return metrics


def ratio(a, b):
    return float(a) / float(b) if b else float("nan")


def counts(prediction, reference, spacing):
    tp = int(np.count_nonzero(prediction & reference))
    fp, fn = int(np.count_nonzero(prediction)) - tp, int(np.count_nonzero(reference)) - tp
    return {"TP": tp, "FP": fp, "FN": fn, "Dice": ratio(2 * tp, 2 * tp + fp + fn), "IoU": ratio(tp, tp + fp + fn),
            "Precision": ratio(tp, tp + fp), "Recall": ratio(tp, tp + fn),
            "relative_volume_error": ratio(fp - fn, tp + fn), "volume_ref_mm3": (tp + fn) * float(np.prod(spacing))}


def surface_elements(prediction, reference, spacing):
    package = surface_distance_package()
    d = package.compute_surface_distances(reference, prediction, spacing)
    from_reference, from_prediction = package.compute_average_surface_distance(d)
    areas = d["surfel_areas_gt"], d["surfel_areas_pred"]
    values = {"HD": package.compute_robust_hausdorff(d, 100), "HD95": package.compute_robust_hausdorff(d, 95),
              "ASD_from_reference": from_reference, "ASD_from_prediction": from_prediction,
              "ASSD": (np.sum(d["distances_gt_to_pred"] * areas[0]) + np.sum(d["distances_pred_to_gt"] * areas[1]))
              / (areas[0].sum() + areas[1].sum()),
              "surface_of_reference": areas[0].sum(), "surface_of_prediction": areas[1].sum()}
    for t in TOLERANCES:
        values[f"NSD_{t}mm"] = package.compute_surface_dice_at_tolerance(d, t)
    return {f"{key}_surface_elements": float(value) for key, value in values.items()}


def boundary_voxels(prediction, reference, spacing):
    faces = ndimage.generate_binary_structure(3, 1)
    p, r = (mask & ~ndimage.binary_erosion(mask, faces) for mask in (prediction, reference))
    pr = ndimage.distance_transform_edt(~r, sampling=spacing)[p]
    rp = ndimage.distance_transform_edt(~p, sampling=spacing)[r]
    both = np.concatenate([pr, rp])
    values = {"HD": both.max(), "HD95": max(np.percentile(pr, 95), np.percentile(rp, 95)),
              "HD95_pooled": np.percentile(both, 95), "ASD_from_prediction": pr.mean(), "ASD_from_reference": rp.mean(),
              "ASSD": both.mean(), "ASSD_of_directions": (pr.mean() + rp.mean()) / 2,
              "surface_of_prediction": p.sum(), "surface_of_reference": r.sum()}
    for t in TOLERANCES:
        values[f"NSD_{t}mm"] = np.mean(both <= t)
    return {f"{key}_boundary_voxels": float(value) for key, value in values.items()}


def medpy(prediction, reference, spacing):
    from medpy.metric import binary
    return {"HD_boundary_voxels": binary.hd(prediction, reference, spacing),
            "HD95_pooled_boundary_voxels": binary.hd95(prediction, reference, spacing),
            "ASSD_boundary_voxels": binary.assd(prediction, reference, spacing),
            "ASD_from_prediction_boundary_voxels": binary.asd(prediction, reference, spacing)}


def measure(prediction, reference, spacing, parts):
    values, seconds = {}, {part.__name__: 0.0 for part in parts}
    start = time.perf_counter()
    largest = int(reference.max())
    boxes = [ndimage.find_objects(labels, largest) for labels in (prediction, reference)]
    for label in range(1, largest + 1):
        box = tuple(slice(max(0, min(a.start, b.start) - 1), max(a.stop, b.stop) + 1)
                    for a, b in zip(boxes[0][label - 1], boxes[1][label - 1]))
        p, r = prediction[box] == label, reference[box] == label
        found = values[str(label)] = {}
        for part in parts:
            began = time.perf_counter()
            found.update(part(p, r, spacing))
            seconds[part.__name__] += time.perf_counter() - began
    return time.perf_counter() - start, values, seconds


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("masks")
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--with-medpy", action="store_true")
    arguments = parser.parse_args()
    images = [nibabel.load(f"{arguments.masks}/{name}.nii.gz") for name in ("prediction", "reference")]
    # Files have the fastest axis first; arrays here have it last, as in Warmstart.
    prediction, reference = (np.ascontiguousarray(np.asarray(image.dataobj).T) for image in images)
    spacing = [float(size) for size in images[1].header.get_zooms()[::-1]]
    parts = [counts, surface_elements, boundary_voxels] + ([medpy] if arguments.with_medpy else [])
    runs = [measure(prediction, reference, spacing, parts) for _ in range(arguments.runs)]
    print(json.dumps({
        "case": "metrics", "seconds": statistics.median(run[0] for run in runs), "all": [run[0] for run in runs],
        "peak_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6, "values": runs[-1][1],
        "parts": runs[-1][2]}))


if __name__ == "__main__":
    main()
