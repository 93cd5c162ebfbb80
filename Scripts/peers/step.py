#!/usr/bin/env python3
"""Times a training step (or a prediction) of PyTorch with dynamic-network-architectures: the other side of
`warmstart benchmark finetune|s3d|mae|predict`, with the same networks, patches, batches, optimizer and clipping.

    step.py CASE [--precision float32|bfloat16] [--threads N] [--runs N] [--patch 96] [--visible 0.25]

Each memory layout runs in a process of its own, so that peak memory is its own; the faster one is printed.
"""
import argparse
import json
import resource
import subprocess
import sys
import time


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("case", choices=["finetune", "s3d", "mae", "predict"])
    parser.add_argument("--precision", choices=["float32", "bfloat16"], default="float32")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--patch", type=int, default=96)
    parser.add_argument("--visible", type=float, default=0.25)
    parser.add_argument("--layout", choices=["contiguous", "channels_last"])
    return parser.parse_args()


def network(torch, features, blocks, outputs):
    from dynamic_network_architectures.architectures.unet import ResidualEncoderUNet

    stages = len(features)
    return ResidualEncoderUNet(
        1, stages, features, torch.nn.Conv3d, 3, [1] + [2] * (stages - 1), blocks, outputs, [1] * (stages - 1),
        conv_bias=True, norm_op=torch.nn.InstanceNorm3d, norm_op_kwargs=dict(affine=True, eps=1e-5),
        nonlin=torch.nn.LeakyReLU, nonlin_kwargs=dict(inplace=True))


def masked_autoencoder(torch, unet, features, cells):
    """S3D as its public code computes it: dense operations whose results are multiplied by the mask, and statistics over
    visible voxels, here with sums of products instead of gathered voxels, which is faster on a CPU."""
    nn = torch.nn

    def mask_like(map):
        return nn.functional.interpolate(cells, map.shape[2:], mode="nearest").to(map.dtype)

    class Convolution(nn.Module):
        def __init__(self, inner):
            super().__init__()
            self.inner = inner

        def forward(self, x):
            result = self.inner(x)
            return result * mask_like(result)

    class Norm(nn.Module):
        def __init__(self, channels, affine):
            super().__init__()
            shape = (1, channels, 1, 1, 1)
            self.scale = nn.Parameter(torch.ones(shape)) if affine else None
            self.shift = nn.Parameter(torch.zeros(shape)) if affine else None

        def forward(self, x):
            x = x.float()
            mask, axes = mask_like(x), (2, 3, 4)
            seen = mask.sum(axes, keepdim=True)
            centred = (x - (x * mask).sum(axes, keepdim=True) / seen) * mask
            y = centred / torch.sqrt(centred.square().sum(axes, keepdim=True) / seen + 1e-5)
            return y if self.scale is None else y * self.scale + self.shift * mask

    def make_sparse(module):
        for name, child in module.named_children():
            if isinstance(child, nn.Conv3d):
                setattr(module, name, Convolution(child))
            elif isinstance(child, nn.InstanceNorm3d):
                setattr(module, name, Norm(child.num_features, True))
            else:
                make_sparse(child)

    class Autoencoder(nn.Module):
        def __init__(self):
            super().__init__()
            make_sparse(unet.encoder)
            self.unet = unet
            self.norms = nn.ModuleList([Norm(c, False) for c in features])
            self.tokens = nn.ParameterList([nn.Parameter(0.02 * torch.randn(1, c, 1, 1, 1)) for c in features])
            self.projections = nn.ModuleList([nn.Identity()] + [nn.Conv3d(c, c, 3, padding=1) for c in features[1:]])

        def forward(self, x):
            maps = self.unet.encoder(x * mask_like(x))
            parts = zip(maps, self.norms, self.tokens, self.projections)
            filled = [p(n(m) + t * (1 - mask_like(m))) for m, n, t, p in parts]
            return self.unet.decoder(filled)

    return Autoencoder(), mask_like


def run(options):
    import torch

    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    functional = torch.nn.functional
    if options.case == "finetune":
        model = network(torch, [32, 64, 128, 256], [1, 3, 4, 6], 3)
        x, labels = torch.randn(2, 1, 40, 56, 40), torch.randint(3, (2, 40, 56, 40))
        loss = lambda y: functional.cross_entropy(y.float(), labels)
    else:
        features = [32, 64, 128, 256, 320, 320]
        model = network(torch, features, [1, 3, 4, 6, 6, 6], 1)
        x = torch.randn(1, 1, *[options.patch] * 3)
        loss = lambda y: functional.mse_loss(y.float(), x)
        if options.case == "s3d":
            grid = options.patch // 32
            seen = max(1, round(grid**3 * options.visible))
            cells = (torch.randperm(grid**3) < seen).float().view(1, 1, grid, grid, grid)
            model, mask_like = masked_autoencoder(torch, model, features, cells)
            hidden = 1 - mask_like(x)
            loss = lambda y: ((y.float() - x).square() * hidden).sum() / hidden.sum()
    if options.layout == "channels_last":
        model = model.to(memory_format=torch.channels_last_3d)
        x = x.contiguous(memory_format=torch.channels_last_3d)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.99, nesterov=True, weight_decay=3e-5)
    precision = torch.autocast("cpu", torch.bfloat16, enabled=options.precision == "bfloat16")

    def predict():
        with torch.no_grad(), precision:
            model(x)

    def train():
        optimizer.zero_grad(set_to_none=True)
        with precision:
            value = loss(model(x))
        value.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 12)
        optimizer.step()

    step = predict if options.case == "predict" else train
    step()
    seconds = []
    for _ in range(options.runs):
        start = time.perf_counter()
        step()
        seconds.append(time.perf_counter() - start)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    return dict(
        case=options.case, precision=options.precision, layout=options.layout, all=seconds, peak_gb=peak,
        seconds=sorted(seconds)[len(seconds) // 2], threads=options.threads, torch=torch.__version__)


def main():
    options = arguments()
    if options.layout:
        print(json.dumps(run(options)))
        return
    layouts = []
    for layout in ["contiguous", "channels_last"]:
        output = subprocess.run(
            [sys.executable, *sys.argv, "--layout", layout], check=True, capture_output=True, text=True).stdout
        layouts.append(json.loads(output.splitlines()[-1]))
    print(json.dumps(min(layouts, key=lambda turn: turn["seconds"])))


if __name__ == "__main__":
    main()
