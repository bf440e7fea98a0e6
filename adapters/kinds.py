"""The kind of model that a folder holds, by its files only: the name does not count, and nothing is guessed."""

from __future__ import annotations

from typing import Literal

from adapters.errors import ModelError
from adapters.models import ModelFolder
from adapters.other_weights import advice
from adapters.routes import modules_of, names_of, networks_of, refuse_missing_routes

Kind = Literal["embedder", "cross-encoder", "causal-lm", "seq2seq", "onnx"]
Code = Literal["stock"]
"""`stock`: use the class of transformers although the folder names a custom class."""

_CLASSES = {
    "SentenceTransformer": "an embedder, which gives vectors",
    "CrossEncoder": "a cross-encoder",
    "SparseEncoder": "a sparse encoder (SPLADE kind), which gives a weight for each word",
    "MultiVectorEncoder": "a multi-vector model (ColBERT kind), which gives a vector for each token",
    "ColBERT": "a multi-vector model (ColBERT kind), which gives a vector for each token",
}
"""The values of `model_type` in config_sentence_transformers.json; PyLate writes `ColBERT`."""
_SPARSE = {"SpladePooling", "MLMTransformer", "SparseStaticEmbedding", "SparseAutoEncoder", "CSRSparsity", "IDF"}
_MULTI_VECTOR = {"MultiVectorMask"}
_MULTIMODAL = {"CLIPModel"}
_TEXT_TO_TEXT = {"t5", "mt5", "umt5", "longt5", "switch_transformers"}
"""Model types of encoder-decoders that read text alone."""
_VECTORS = {"Pooling", "WeightedLayerPooling", "StaticEmbedding", "WordEmbeddings", "BoW", "CNN", "LSTM", "WordWeights"}
_WHAT: dict[Kind, str] = {
    "embedder": "an embedder, which gives vectors",
    "cross-encoder": "a cross-encoder",
    "causal-lm": "a language model, which answers with a word",
    "seq2seq": "a sequence-to-sequence model, which answers with a word",
    "onnx": "an ONNX model",
}
_ELSEWHERE = "score it where it runs, and give the result as 'run:FILE'"


def kind_of(folder: ModelFolder) -> Kind:
    """The kind of a folder, by the modules of sentence-transformers if it has them, else by its architecture.

    Raises:
        ModelError: the files declare no kind, contradict each other, or name a kind that is not supported; the message
            names the kind and says what to do.
    """
    return _of_chain(folder) if folder.chain else _of_architecture(folder)


def refuse_other_kinds(folder: ModelFolder, wanted: Kind) -> None:
    """Refuse a folder of another kind than the wanted one.

    A folder whose config names no architecture passes; missing files are found when it is loaded.

    Raises:
        ModelError: the folder is of another kind, or its files contradict each other.
    """
    if not folder.chain and not folder.architecture and folder.config and not folder.adapter_config:
        return
    kind = kind_of(folder)
    if kind != wanted:
        raise ModelError(f"'{folder.name}' is {_WHAT[kind]}, not {_WHAT[wanted]}; name it '{kind}:{folder.name}'")


def refuse_own_code(folder: ModelFolder, code: Code | None) -> None:
    """Refuse a folder that names custom classes, which the classes of transformers would silently replace.

    Args:
        code: "stock" accepts the folder and uses the classes of transformers.

    Raises:
        ModelError: the folder names a custom class; the message names it.
    """
    foreign = [module.type for module in modules_of(folder) if not module.known]
    if foreign:
        named = "modules.json" if foreign[0] in {module.type for module in folder.chain} else "its router"
        raise ModelError(
            f"'{folder.name}' needs custom code ({named} names {foreign[0]}), which is not run here; {_ELSEWHERE}"
        )
    for part in (folder, *networks_of(folder)):
        own = own_classes(part)
        if own and code != "stock":
            stock = f"the {part.architecture or 'class'} of transformers"
            raise ModelError(
                f"{_names_code(part, own)}; write ?code=stock if {stock} is what you want, or {_ELSEWHERE}"
            )


def _names_code(folder: ModelFolder, own: dict[str, str]) -> str:
    auto, name = next(iter(own.items()))
    return (
        f"'{folder.name}' names custom code ({auto} is {name}), which is run only on request: a reranker "
        "with ?code=own executes the code of its folder, in a separate process (docs/templates.md)"
    )


def own_classes(folder: ModelFolder) -> dict[str, str]:
    """The custom classes that a folder names in `auto_map`, by the class of transformers that each replaces."""
    found: dict[str, str] = {}
    for settings in (folder.config, folder.tokenizer_settings):
        mapped = settings.get("auto_map")
        named = mapped if isinstance(mapped, dict) else {"AutoTokenizer": mapped}
        found |= {str(auto): _first(value) for auto, value in named.items() if value}
    return found


def output_of(folder: ModelFolder) -> str:
    """The output of the last module of a chain: 'scores', 'sentence_embedding', ...; '' if it declares none."""
    last = folder.chain[-1] if folder.chain else None
    if last is None or not last.path:
        return ""
    return str(folder.json(f"{last.path}/config.json").get("module_output_name") or "")


def _of_chain(folder: ModelFolder) -> Kind:
    declared, built = _declared(folder), _built(folder)
    if built is not None and declared is not None and declared != built:
        raise ModelError(
            f"'{folder.name}' contradicts itself: config_sentence_transformers.json says it is {_CLASSES[declared]}, "
            f"its modules.json ({', '.join(folder.modules)}) makes {_CLASSES[built]}; fetch both files again"
        )
    kind = declared or built
    if kind == "SentenceTransformer" or kind is None:
        return _embedder(folder)
    if kind != "CrossEncoder":
        raise _unsupported(folder, _CLASSES[kind])
    if declared is None:
        raise ModelError(
            f"'{folder.name}': modules.json ({', '.join(folder.modules)}) makes a cross-encoder, but "
            "config_sentence_transformers.json does not say so; fetch or save the model again, with all its files"
        )
    return _cross_encoder(folder)


def _declared(folder: ModelFolder) -> str | None:
    declared = folder.json("config_sentence_transformers.json").get("model_type")
    if declared is None:
        return None
    if declared not in _CLASSES:
        raise _unsupported(folder, f"a model of the type '{declared}', which is not known here")
    return "MultiVectorEncoder" if declared == "ColBERT" else str(declared)


def _built(folder: ModelFolder) -> str | None:
    """The class of sentence-transformers that the modules make; None if they fit several."""
    names = set(names_of(folder))
    if names & _SPARSE:
        return "SparseEncoder"
    if names & _MULTI_VECTOR:
        return "MultiVectorEncoder"
    if "LogitScore" in names or output_of(folder) == "scores":
        return "CrossEncoder"
    if _task(folder) == "sequence-classification" and names <= {"Transformer"}:
        return "CrossEncoder"
    return "SentenceTransformer" if names & _VECTORS and output_of(folder) != "token_embeddings" else None


def _embedder(folder: ModelFolder) -> Kind:
    names = set(names_of(folder))
    tasks = {_task(folder), *(_task_in(network) for network in networks_of(folder))}
    if names & _MULTIMODAL or tasks & {"any-to-any", "retrieval"}:
        raise _unsupported(folder, "a multimodal embedder")
    refuse_missing_routes(folder)
    if not names & _VECTORS:
        raise ModelError(
            f"'{folder.name}': modules.json ({', '.join(folder.modules)}) has no module that makes a vector of a text "
            "(such as Pooling); fetch or save the model again"
        )
    return "embedder"


def _cross_encoder(folder: ModelFolder) -> Kind:
    task = _task(folder)
    if task in ("any-to-any", "retrieval"):
        raise _unsupported(folder, "a multimodal reranker")
    if folder.modules[-1] == "LogitScore":
        return "causal-lm"
    if output_of(folder) == "scores" or task == "sequence-classification":
        return "cross-encoder"
    raise ModelError(
        f"'{folder.name}': none of its modules ({', '.join(folder.modules)}) gives scores, as a cross-encoder needs; "
        "fetch or save the model again"
    )


def _task(folder: ModelFolder) -> str:
    return str(folder.transformer_settings.get("transformer_task") or "feature-extraction")


def _task_in(network: ModelFolder) -> str:
    """The task of a network inside a router."""
    return str(network.json("sentence_bert_config.json").get("transformer_task") or "feature-extraction")


def _of_architecture(folder: ModelFolder) -> Kind:
    name = folder.architecture
    if name == "HF_ColBERT" or _has(folder, "artifact.metadata"):
        raise _unsupported(folder, _CLASSES["ColBERT"])
    if folder.adapter_config:
        return _of_adapter(folder)
    if name.endswith("ForSequenceClassification"):
        return _onnx_or(folder, "cross-encoder")
    if name.endswith(("ForCausalLM", "LMHeadModel")):
        return _onnx_or(folder, "causal-lm")
    if folder.config.get("model_type") in _TEXT_TO_TEXT and name.endswith("ForConditionalGeneration"):
        return _onnx_or(folder, "seq2seq")
    if name.endswith("ForConditionalGeneration"):
        raise _unsupported(folder, f"a multimodal model ({name})")
    if name.endswith("ForMaskedLM"):
        raise _unsupported(folder, f"a masked language model ({name}), perhaps a sparse encoder (SPLADE kind)")
    if _has(folder, "*.onnx", deep=True) and not _has(folder, "*.safetensors"):
        return "onnx"
    if own := own_classes(folder):
        raise ModelError(f"{_names_code(folder, own)}; or {_ELSEWHERE}")
    if not folder.config:
        raise ModelError(f"'{folder.name}' has no config.json; {advice(folder)}")
    if name:
        raise ModelError(
            f"'{folder.name}': its config names '{name}', which has no head that scores pairs, and there is no "
            "modules.json that makes it an embedder; name a model that was trained as one or the other, or say how its "
            f"authors make and compare vectors, as in 'embedder:{folder.name}?pooling=mean&similarity=dot'"
        )
    raise ModelError(
        f"'{folder.name}': its config names no architecture, and there is no modules.json; say which kind it is, as in "
        f"'cross-encoder:{folder.name}'"
    )


def _onnx_or(folder: ModelFolder, kind: Kind) -> Kind:
    """ONNX if there are no other weights: repositories of exports keep the original config."""
    weights = ("*.safetensors", "*.safetensors.index.json", "pytorch_model*.bin", "adapter_model.bin")
    torch = any(_has(folder, pattern) for pattern in weights)
    return "onnx" if not torch and _has(folder, "*.onnx", deep=True) else kind


def _of_adapter(folder: ModelFolder) -> Kind:
    task = folder.adapter_config.get("task_type")
    kinds: dict[object, Kind] = {"SEQ_CLS": "cross-encoder", "CAUSAL_LM": "causal-lm"}
    if task not in kinds:
        advice = "an adapter of an embedder is read where sentence-transformers saved it, with modules.json"
        raise ModelError(
            f"'{folder.name}' is a LoRA adapter for the task '{task}', and only SEQ_CLS and CAUSAL_LM score pairs; "
            f"{advice if task in (None, 'FEATURE_EXTRACTION') else _ELSEWHERE}"
        )
    return kinds[task]


def _unsupported(folder: ModelFolder, what: str) -> ModelError:
    return ModelError(f"'{folder.name}' is {what}, and is not supported; {_ELSEWHERE}")


def _first(value: object) -> str:
    """The class in an entry of auto_map, which is a name or a list of a slow and a fast one."""
    listed = value if isinstance(value, list) else [value]
    return str(next((one for one in reversed(listed) if one), ""))


def _has(folder: ModelFolder, pattern: str, *, deep: bool = False) -> bool:
    return any(folder.path.rglob(pattern) if deep else folder.path.glob(pattern))
