"""The token at the end of a text, whose vector is that of the text if an embedder takes the last one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from adapters.errors import ModelError
from adapters.models import ModelFolder


def end_options(folder: ModelFolder, pooling: str | None = None) -> dict[str, bool]:
    """Arguments of the tokenizer that append the end token which tokenizer_config.json declares (`add_eos_token`) and
    the post-processor of tokenizer.json leaves out, as in e5-mistral-7b-instruct. Empty if nothing has to be added.

    transformers 4 followed tokenizer_config.json; transformers 5 follows tokenizer.json alone, without a warning.

    Args:
        pooling: of an embedder that was saved without modules.json.
    """
    settings = folder.tokenizer_settings
    if settings.get("add_eos_token") is not True or not _takes_last(folder, pooling):
        return {}
    content = folder.tokenizer.json(f"{folder.tokenizer.transformer}tokenizer.json")
    parts = list(_parts(content.get("post_processor")))
    if "post_processor" not in content or (parts and parts[-1] == "SpecialToken"):
        return {}
    declared = settings.get("add_bos_token")
    begins = bool(parts) and parts[0] == "SpecialToken"
    return {"add_eos_token": True, "add_bos_token": declared if isinstance(declared, bool) else begins}


def refuse_missing_end(folder: ModelFolder, model: Any) -> None:
    """Refuse an embedder that takes the vector of the last token although its tokenizer appends no end token.

    Args:
        model: of sentence-transformers.

    Raises:
        ModelError: it does so.
    """
    routes: Mapping[str, Any] = getattr(model[0], "sub_modules", {})
    for chain in [[*route, *list(model)[1:]] for route in routes.values()] or [list(model)]:
        if any(_is_last(getattr(module, "pooling_mode", "")) for module in chain):
            _refuse_tokenizer_without_end(folder, chain[0].tokenizer)


def _refuse_tokenizer_without_end(folder: ModelFolder, tokenizer: Any) -> None:
    plain = tokenizer("a", add_special_tokens=False)["input_ids"]
    whole = tokenizer("a")["input_ids"]
    if len(whole) <= len(plain) or whole[-1] == plain[-1]:
        raise ModelError(
            f"{folder.name} takes the vector of the last token, but its tokenizer appends no special end token (Qwen3: "
            '<|endoftext|>) to a text; use the tokenizer files of the original model, or write "add_eos_token": true '
            "into tokenizer_config.json if its authors append one"
        )


def _takes_last(folder: ModelFolder, pooling: str | None) -> bool:
    if pooling is not None:
        return pooling == "lasttoken"
    poolings = (folder.json(f"{one.path}/config.json") for one in folder.chain if one.name == "Pooling")
    return any(one.get("pooling_mode_lasttoken") is True or _is_last(one.get("pooling_mode")) for one in poolings)


def _is_last(mode: object) -> bool:
    return "lasttoken" in (mode if isinstance(mode, list | tuple) else (mode,))


def _parts(processor: object) -> Iterator[str]:
    """What a post-processor makes of one text: 'SpecialToken' or 'Sequence', in their order."""
    if not isinstance(processor, Mapping):
        return
    if processor.get("type") == "Sequence":
        inner = processor.get("processors")
        for one in inner if isinstance(inner, list) else []:
            yield from _parts(one)
    elif processor.get("type") in ("BertProcessing", "RobertaProcessing"):
        yield from ("SpecialToken", "Sequence", "SpecialToken")
    elif isinstance(single := processor.get("single"), list):
        yield from (next(iter(part), "") for part in single if isinstance(part, Mapping))
