"""The command `harness convert`."""

from __future__ import annotations

import dataclasses

import typer

from harness.cli import options, stage_options
from harness.cli.app import WORKSPACE
from harness.cli.printing import print_json
from harness.cli.verb import verb


@verb(
    WORKSPACE,
    epilog="""Examples:

    harness convert ./old-cross-encoder ./old-cross-encoder-safetensors

    harness convert organisation/model@revision ./model

No code in the pickle is run. A pickle that contains anything but tensors is refused.""",
)
def convert(
    model: stage_options.ConvertedModel,
    out: stage_options.ConvertedOut,
    as_json: options.AsJson = False,
) -> None:
    """Write a copy of a model with pickled weights that has safetensors instead, so that it can be run.

    Pickled weights are files such as pytorch_model.bin. Every number is kept to the bit. All other files are copied
    unchanged, except the training state.
    """
    from adapters.spec import parse
    from training.converting.convert import convert as run

    spec = parse(model)
    done = run(spec.model, out, spec.revision)
    if as_json:
        print_json({**dataclasses.asdict(done), "path": str(out)})
        return
    for old, new in done.written.items():
        typer.echo(f"{old} -> {new}")
    if done.tied:
        typer.echo(f"not written, because loading sets them from other tensors: {', '.join(done.tied)}")
    if done.left_out:
        typer.echo(f"left out: {', '.join(done.left_out)}")
    typer.echo(f"written: {out}")
