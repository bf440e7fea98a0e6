"""A folder's chat template as a prompt template: the prompt that sentence-transformers makes from a pair, by rendering.

A pair is two messages with the roles `query` and `document`, and a prompt is a `system` message before them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from adapters.errors import ModelError
from adapters.loading import reason_of
from adapters.models import ModelFolder
from adapters.prompt_template import Field, PromptTemplate
from adapters.prompt_tokens import Encode, seams_are_exact

Format = Literal["flat", "structured"]

_MARKS = "queryprobe7q3", "documentprobe9d2"
PROBES = (
    ("who wrote it", "The answer."),
    (" where ", "\n\nlines and a space "),
    ("", ""),
    ("Who Wrote IT", "A Long One: " + "some words " * 200),
    ('谁写的? "&" <b>\n', "<|im_end|> {{ braces }} {query} {document} 'quotes' \"and more\" <b>&amp;</b> \\n"),
)
_CLOCK = "strftime_now("
"""The function that a chat template calls for the date."""
_STRUCTURED = ("content[0]", ".type", "'type'", '"type"', "item.type", "message.content[")
"""Texts in a template that reads contents as lists of parts; sentence-transformers looks for the same."""
_FLAT = ("apertus", "deepseek_v3", "gpt_oss", "seed_oss")
"""Model types whose contents sentence-transformers passes as texts."""


@dataclass(frozen=True)
class ChatTemplate:
    """How a folder renders a pair.

    Args:
        tokenizer: of transformers, with a chat template.
        shape: whether a content is a text or a list of parts.
        options: further arguments of `apply_chat_template` that the folder declares.
    """

    name: str
    tokenizer: Any
    shape: Format
    options: Mapping[str, Any]

    def render(self, query: str, document: str, instruction: str | None) -> str:
        """The prompt of a pair.

        Raises:
            ModelError: the template cannot be rendered.
        """
        system = [] if not instruction else [self._message("system", instruction)]
        messages = [*system, self._message("query", query), self._message("document", document)]
        try:
            return str(self.tokenizer.apply_chat_template(messages, tokenize=False, **self.options))
        except Exception as error:  # a template may raise any error
            raise ModelError(f"'{self.name}': its chat template cannot render a pair: {reason_of(error)}") from error

    def carries_pairs(self) -> bool:
        """Whether both texts of a pair reach the prompt."""
        try:
            first, query, document = (self.render(*pair, None) for pair in (("a", "b"), ("c", "b"), ("a", "d")))
        except ModelError:
            return False
        return first not in (query, document)

    def takes_instruction(self) -> bool:
        """Whether another instruction makes another prompt."""
        try:
            return self.render("a", "b", "c") != self.render("a", "b", "d")
        except ModelError:
            return False

    def as_template(self, instruction: str | None, encode: Encode) -> PromptTemplate | None:
        """The same prompt as a prompt template, in one piece or in pieces that change no token; None if the chat
        template changes the texts, for instance strips them, so that each prompt must be rendered."""
        query, document = _MARKS
        text = self.render(query, document, instruction)
        if text.count(query) != 1 or text.count(document) != 1:
            return None
        pieces = _cut(text)
        whole = PromptTemplate((tuple(part for piece in pieces for part in piece),), {"chat": text})
        if any(whole.whole("", *pair) != self.render(*pair, instruction) for pair in PROBES):
            return None
        parted = PromptTemplate(pieces, whole.described)
        return parted if seams_are_exact(parted, encode) else whole

    def _message(self, role: str, text: str) -> dict[str, object]:
        content: object = text if self.shape == "flat" else [{"type": "text", "text": text}]
        return {"role": role, "content": content}


def chat_template_of(folder: ModelFolder, tokenizer: Any) -> ChatTemplate | None:
    """The chat template by which sentence-transformers turns a pair into a prompt; None if it uses none.

    A folder with modules.json declares whether it reads messages; without, every tokenizer with a chat template does.
    """
    if tokenizer.chat_template is None or not reads_messages(folder):
        return None
    processing = folder.transformer_settings.get("processing_kwargs")
    options = processing.get("chat_template", {}) if isinstance(processing, Mapping) else {}
    kept = {key: value for key, value in options.items() if key not in ("truncation", "max_length", "restore_suffix")}
    return ChatTemplate(folder.name, tokenizer, _shape(folder, tokenizer.chat_template), kept)


def reads_messages(folder: ModelFolder) -> bool:
    """Whether the folder's network takes messages if its tokenizer has a chat template."""
    modalities = folder.transformer_settings.get("modality_config")
    return not folder.chain or (isinstance(modalities, Mapping) and "message" in modalities)


def chat_template_text(folder: ModelFolder) -> str:
    """The text of the folder's chat templates; '' if there are none. Loads no tokenizer."""
    folder = folder.tokenizer
    place = folder.path / folder.transformer
    files = [place / "chat_template.jinja", *sorted((place / "additional_chat_templates").glob("*.jinja"))]
    texts = [file.read_text("utf-8", errors="replace") for file in files if file.is_file()]
    for name in ("tokenizer_config.json", "chat_template.json"):
        declared = folder.json(f"{folder.transformer}{name}").get("chat_template")
        listed = declared if isinstance(declared, list) else [declared]
        texts += [str(one.get("template", "") if isinstance(one, Mapping) else one) for one in listed if one]
    return "\n".join(texts)


def day_of(folder: ModelFolder) -> dict[str, str]:
    """The current day, for the identity of a model whose chat template may write it into the prompt."""
    if _CLOCK not in chat_template_text(folder) or not reads_messages(folder):
        return {}
    return {"day": date.today().isoformat()}


def default_prompt(folder: ModelFolder) -> str | None:
    """The prompt that the folder declares for every pair; None without modules.json."""
    if not folder.chain:
        return None
    declared = folder.json("config_sentence_transformers.json")
    prompts, name = declared.get("prompts"), declared.get("default_prompt_name")
    if name is None or not isinstance(prompts, Mapping):
        return None
    if name not in prompts:
        raise ModelError(
            f"{folder.path / 'config_sentence_transformers.json'}: default_prompt_name is '{name}', and prompts has no "
            "such prompt; fetch the file again"
        )
    return str(prompts[name]) or None


def _shape(folder: ModelFolder, template: object) -> Format:
    modalities = folder.transformer_settings.get("modality_config")
    message = modalities.get("message") if isinstance(modalities, Mapping) else None
    declared = message.get("format") if isinstance(message, Mapping) else None
    if declared in ("flat", "structured"):
        return "flat" if declared == "flat" else "structured"
    if folder.config.get("model_type") in _FLAT:
        return "flat"
    if not isinstance(template, str) or any(mark in template for mark in _STRUCTURED):
        return "structured"
    return "flat"


def _cut(text: str) -> tuple[tuple[str | Field, ...], ...]:
    """The text with fields for the two marks; what follows a document at the end is a piece of its own."""
    query, document = _MARKS
    if text.index(query) < text.index(document):
        start, rest = text.split(query)
        between, end = rest.split(document)
        return _without_empty((start, Field.QUERY, between, Field.DOCUMENT), (end,))
    start, rest = text.split(document)
    between, end = rest.split(query)
    return _without_empty((start, Field.DOCUMENT, between, Field.QUERY, end))


def _without_empty(*pieces: Sequence[str | Field]) -> tuple[tuple[str | Field, ...], ...]:
    kept = (tuple(part for part in piece if part != "") for piece in pieces)
    return tuple(piece for piece in kept if piece)
