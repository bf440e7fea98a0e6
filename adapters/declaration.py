"""Writes a language model's prompt and compared tokens into its folder, as sentence-transformers saves them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from adapters.models import ModelFolder
from adapters.prompt_template import Field, PromptTemplate

_PACKAGE = "sentence_transformers"
_MODULES = (
    ("", f"{_PACKAGE}.base.modules.transformer.Transformer"),
    ("1_LogitScore", f"{_PACKAGE}.cross_encoder.modules.logit_score.LogitScore"),
)
_LOGITS = {"method": "forward", "method_output_name": "logits"}


def declare(
    folder: Path,
    tokens: tuple[int, ...],
    *,
    template: PromptTemplate | None,
    instruction: str = "",
    max_length: int | None = None,
) -> None:
    """Write modules.json, the settings of its modules, and a chat template with the roles `query` and `document`.

    Args:
        tokens: the numbers of the tokens that are compared, the relevant one first.
        template: becomes the chat template; None keeps the existing one.
        instruction: the default prompt; '' for none.
        max_length: tokens of a whole input; None leaves it to the tokenizer and the network.
    """
    (folder / "1_LogitScore").mkdir(exist_ok=True)
    modules = [{"idx": at, "name": str(at), "path": path, "type": kind} for at, (path, kind) in enumerate(_MODULES)]
    prompts = {"query": instruction} if instruction else {}
    _write(folder / "modules.json", modules)
    _write(
        folder / "config_sentence_transformers.json",
        {
            "model_type": "CrossEncoder",
            "prompts": prompts,
            "default_prompt_name": "query" if prompts else None,
            "activation_fn": "torch.nn.modules.linear.Identity",
        },
    )
    _write(
        folder / "sentence_bert_config.json",
        {
            "transformer_task": "text-generation",
            "modality_config": {"text": _LOGITS, "message": {**_LOGITS, "format": "flat"}},
            "module_output_name": "causal_logits",
            **({} if max_length is None else {"max_seq_length": max_length}),
        },
    )
    other = tokens[1] if len(tokens) > 1 else None
    config = {"true_token_id": tokens[0], "false_token_id": other, "module_input_name": "causal_logits"}
    _write(folder / "1_LogitScore" / "config.json", config)
    if template is not None:
        (folder / "chat_template.jinja").write_text(chat_template(template), "utf-8")


def carry_over(source: ModelFolder, folder: Path, max_length: int) -> None:
    """Copy the declarations of a language model's folder into the folder of a model that is based on it.

    Args:
        max_length: tokens of a whole input, replaces the declared length.
    """
    for name in ("modules.json", "config_sentence_transformers.json"):
        if (source.path / name).is_file():
            shutil.copyfile(source.path / name, folder / name)
    for module in source.chain:
        if module.name == "LogitScore":
            (folder / module.path).mkdir(exist_ok=True)
            shutil.copyfile(source.path / module.path / "config.json", folder / module.path / "config.json")
    _write(folder / "sentence_bert_config.json", {**source.transformer_settings, "max_seq_length": max_length})


def chat_template(template: PromptTemplate) -> str:
    """A packaged template as a chat template, in which a `system` message is the instruction."""
    roles = {Field.INSTRUCTION: "system", Field.QUERY: "query", Field.DOCUMENT: "document"}
    lines = [
        f"{{%- set {field.value} = messages | selectattr('role', 'eq', '{role}') | map(attribute='content') | first"
        f" | default({_quoted(template.instruction if field is Field.INSTRUCTION else '')}) -%}}"
        for field, role in roles.items()
    ]
    read = {one: f"({one.value} | trim)" for one in (Field.QUERY, Field.DOCUMENT)} if template.strip else {}
    parts = [
        read.get(part, part.value) if isinstance(part, Field) else _quoted(part)
        for piece in template.pieces
        for part in piece
    ]
    return "\n".join([*lines, f"{{{{- {' ~ '.join(parts)} -}}}}"]) + "\n"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n").replace("\r", "\\r")
    return f"'{escaped}'"


def _write(file: Path, content: object) -> None:
    file.write_text(json.dumps(content, indent=2, ensure_ascii=False), "utf-8")
