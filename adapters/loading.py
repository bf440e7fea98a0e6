"""Loads models and tokenizers, and turns any failure into one line that says what to do."""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NoReturn, get_args

import numpy as np

from adapters.completeness import refuse_made_up_weights
from adapters.contents import Contents
from adapters.end_token import end_options
from adapters.errors import EnvironmentFailure, HarnessError, ModelError, class_of, need
from adapters.models import ModelFolder
from adapters.precision import WHOLE, keep_modules, refuse_impossible
from adapters.protocols import Floats, Role
from adapters.routes import networks_of
from adapters.soundness import quantiser, refuse_pointers, refuse_unsound

PURPOSE = "running a model"
_PROBE = "what is it"


def load_tokenizer(folder: ModelFolder) -> Any:
    """Load the tokenizer with transformers. Never runs custom code of the folder.

    Raises:
        ModelError: the tokenizer cannot be loaded.
    """
    refuse_pointers(folder)
    transformers = need("transformers", "models", PURPOSE)
    files = folder.tokenizer.path / folder.tokenizer.transformer
    with loading(folder, "its tokenizer"):
        tokenizer = transformers.AutoTokenizer.from_pretrained(
            files, **folder.tokenizer_options, trust_remote_code=False
        )
        if len(tokenizer) <= len(set(tokenizer.all_special_ids)):  # transformers makes one up without its vocabulary
            raise ValueError("it has no words; save the tokenizer that the model was trained with, with all its files")
        # settings of a wrong type are found when they are used
        tokenizer([_PROBE, ""], add_special_tokens=False, verbose=True)
        tokenizer(_PROBE, _PROBE, truncation=True)
        return tokenizer


def load_network(
    folder: ModelFolder, auto: str, dtype: str, *, pickle: bool = False, **more: Any
) -> tuple[Any, Mapping[str, Any]]:
    """Load a network in evaluation mode.

    Args:
        auto: the class of transformers that chooses the network, such as "AutoModelForCausalLM".
        dtype: of the weights, by its name in torch.
        pickle: read pickled weights if there are no safetensors; no code in them is run.
        more: arguments of `from_pretrained`.

    Returns:
        The network, and the report of transformers on its weights (`missing_keys`, `mismatched_keys`).

    Raises:
        ModelError: the network cannot be loaded; the message names the file or the reason.
    """
    refuse_unsound(folder, pickle=pickle)
    torch = need("torch", "models", PURPOSE)
    transformers = need("transformers", "models", PURPOSE)
    source = folder if folder.base is None else folder.base
    _refuse_unknown_type(transformers, folder)
    safe = all(name.endswith(".safetensors") for name in Contents(source, pickle).weights)
    with loading(folder, "its weights"):
        network, report = getattr(transformers, auto).from_pretrained(
            source.path / source.transformer,
            dtype=getattr(torch, dtype),
            use_safetensors=safe,
            trust_remote_code=False,
            output_loading_info=True,
            local_files_only=True,
            **more,
        )
        if folder.base is not None:
            network, report = _adapted(folder, network, report)
        _refuse_unknown_quantiser(transformers, folder)
        return network.eval(), report


def load_sentence_model(
    folder: ModelFolder, kind: str, dtype: str, device: str, *, pickle: bool = False, pooling: str | None = None
) -> Any:
    """Load a model with sentence-transformers.

    Args:
        kind: the name of its class.
        pooling: of the tokens, for an embedder that was saved without modules.json.

    Raises:
        ModelError: the model cannot be loaded; the message names the file or the reason.
        UsageError: the device cannot compute in this number format.
    """
    refuse_unsound(folder, pickle=pickle)
    refuse_impossible(dtype, device)
    library, torch = (need(name, "models", PURPOSE) for name in ("sentence_transformers", "torch"))
    pairs, quiet = kind == "CrossEncoder", {"show_progress_bar": False}
    raw = {"activation_fn": torch.nn.Identity()}
    options: dict[str, Any] = {"dtype": getattr(torch, dtype), **({} if pickle else {"use_safetensors": True})}
    local: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    ends = {} if pairs else end_options(folder, pooling)
    local |= {"processor_kwargs": ends} if ends else {}
    with loading(folder, "its modules"):
        if pooling is None:
            model = getattr(library, kind)(str(folder.path), device=device, model_kwargs=options, **local).eval()
        else:
            model = getattr(library, kind)(modules=_pooled(folder, pooling, options, ends), device=device).eval()
        _refuse_unknown_quantiser(need("transformers", "models", PURPOSE), folder)
        if dtype != WHOLE:
            keep_modules(model, pairs=pairs)

        def ask() -> Floats:
            if pairs:
                return np.asarray(model.predict([(_PROBE, _PROBE)], **raw, **quiet), np.float32)
            vectors = [model.encode([_PROBE], task=role, **quiet)[0] for role in get_args(Role)]
            if len(vectors[0]) != len(vectors[1]):
                raise ValueError(
                    f"the vectors of queries have {len(vectors[0])} numbers, of documents {len(vectors[1])}"
                )
            return np.concatenate(vectors, dtype=np.float32)

        ask()  # modules that do not fit together are found when they are used
        refuse_made_up_weights(folder, model, ask, pickle=pickle)
        return model


def _pooled(folder: ModelFolder, pooling: str, options: dict[str, Any], ends: dict[str, bool]) -> list[Any]:
    """A network that reads plain texts even if its tokenizer has a chat template, and a pooling of its tokens."""
    modules = importlib.import_module("sentence_transformers.sentence_transformer.modules")
    network = modules.Transformer(
        str(folder.path),
        model_kwargs={**options, "local_files_only": True, "trust_remote_code": False},
        processor_kwargs=ends,
        modality_config={"text": {"method": "forward", "method_output_name": "last_hidden_state"}},
        module_output_name="token_embeddings",
    )
    return [network, modules.Pooling(network.get_embedding_dimension(), pooling)]


def _refuse_unknown_type(transformers: Any, folder: ModelFolder) -> None:
    named = folder.config.get("model_type")
    if isinstance(named, str) and named not in transformers.models.auto.CONFIG_MAPPING:
        raise ModelError(
            f"'{folder.name}': config.json has the model_type '{named}', which transformers {transformers.__version__} "
            "does not know; pip install --upgrade transformers, or, where the model needs code of its own, score it "
            "where it runs, and give the result as 'run:FILE'"
        )


def _refuse_unknown_quantiser(transformers: Any, folder: ModelFolder) -> None:
    """Refuse an unknown quantisation, whose weights transformers would read as plain ones with a warning."""
    method = quantiser(folder)
    known = importlib.import_module("transformers.quantizers.auto").AUTO_QUANTIZER_MAPPING
    if method is not None and not any(name.startswith(method) for name in known):
        raise ValueError(f"quantised with '{method}', which transformers {transformers.__version__} does not know")


@contextmanager
def loading(folder: ModelFolder, what: str) -> Iterator[None]:
    """Load without progress bars and reports; any failure becomes an error of one line: a ModelError, or an
    EnvironmentFailure if memory is short, the disk fails or a package is missing.

    Libraries raise many different classes for a broken file, so all of them are caught here, and only here.
    """
    try:
        with quiet_loading():
            yield
    except HarnessError:
        raise
    except MemoryError:
        raise EnvironmentFailure(
            f"'{folder.name}': not enough memory to load it; use dtype=bfloat16 or another machine"
        ) from None
    except BaseException as error:
        refuse_broken(error, f"'{folder.name}': {what}")


def is_failure(error: BaseException) -> bool:
    """Whether a library failed, as opposed to an interruption of the program."""
    return isinstance(error, Exception) or type(error).__name__ == _PANIC


def refuse_broken(error: BaseException, what: str) -> NoReturn:
    """Raise what a library raised for a broken file as an error of one line.

    Raises:
        ModelError: `what` cannot be loaded. An interruption of the program is raised as it is.
        EnvironmentFailure: the machine or an installed package failed.
    """
    if not is_failure(error):
        raise error
    _refuse_broken_libraries()
    kind = EnvironmentFailure if isinstance(error, ModuleNotFoundError) else class_of(error, ModelError)
    raise kind(f"{what} cannot be loaded: {reason_of(error)}") from error


def _refuse_broken_libraries() -> None:
    """Refuse a torch that is installed and cannot be imported. transformers imports it only when it needs it, and then
    says that the files of the model are wrong."""
    if importlib.util.find_spec("torch") is not None:
        need("torch", "models", PURPOSE)


def reason_of(error: BaseException) -> str:
    """The most useful line of a library's error: the one that names a package to install, else the first."""
    if isinstance(error, ModuleNotFoundError) and error.name:
        package = error.name.split(".")[0]
        return f"the package '{package}' is missing; pip install {package}"
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    installs = next((line for line in lines if "pip install" in line), None)
    first = lines[0] if lines else ""
    line = first if installs in (None, first) else f"{first} {installs}"
    shown = line if len(line) <= _LONGEST else f"{line[: _LONGEST - 3]}..."
    return (
        shown
        if isinstance(error, OSError | ValueError | ImportError | RuntimeError) and shown
        else _named(error, shown)
    )


_LONGEST = 300
_PANIC = "PanicException"
"""What libraries in Rust, such as tokenizers, raise for some broken files. It is no `Exception`."""


def engine_of(folder: ModelFolder) -> dict[str, object]:
    """The software that can change the last digits of a score, for identities: the library that computes with quantised
    weights. Empty for plain float32 weights in torch."""
    method = next((found for found in map(quantiser, (folder, *networks_of(folder))) if found is not None), None)
    if method is None:
        return {}
    names = {"torch", "transformers", *_ENGINES.get(method, ())}
    return {"engine": {"quantised": method, **{name: _version(name) for name in sorted(names)}}}


_ENGINES = {
    "bitsandbytes": ("bitsandbytes",), "gptq": ("gptqmodel",), "awq": ("gptqmodel",), "hqq": ("hqq",),
    "compressed-tensors": ("compressed-tensors",), "quanto": ("optimum-quanto",), "torchao": ("torchao",),
}  # fmt: skip


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _named(error: BaseException, shown: str) -> str:
    return f"{type(error).__name__}: {shown}" if shown else type(error).__name__


def _adapted(folder: ModelFolder, network: Any, report: Mapping[str, Any]) -> tuple[Any, Mapping[str, Any]]:
    """The base with the adapter's weights added; whole modules of the adapter replace those of the base."""
    peft = need("peft", "lora", f"the LoRA adapter '{folder.name}'")
    place = str(folder.path / folder.transformer)
    config = peft.PeftConfig.from_pretrained(place)
    if not config.modules_to_save:
        config.task_type = None  # peft would ask the adapter for a head, which is the base's
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # peft asks transformers for a name that is going away
        warnings.filterwarnings("error", "Found missing adapter keys")
        adapted = peft.PeftModel.from_pretrained(network, place, config=config)
    brought = {name.split(".modules_to_save")[0] for name, _ in adapted.named_modules() if ".modules_to_save" in name}
    replaced = tuple(f"{name.removeprefix('base_model.model.')}." for name in brought)
    kept = {
        kind: [key for key in report[kind] if not str(key[0] if isinstance(key, tuple) else key).startswith(replaced)]
        for kind in ("missing_keys", "mismatched_keys")
    }
    # Merged, it is the plain network again: the wrapper of peft takes other arguments, and would drop token types.
    # peft froze its weights, which would leave nothing to train.
    return adapted.merge_and_unload(safe_merge=True).requires_grad_(True), {**report, **kept}


@contextmanager
def quiet_loading() -> Iterator[None]:
    """Hide the progress bars and reports of transformers; what matters in them is raised as an error."""
    logging = need("transformers", "models", "loading a model").utils.logging
    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
