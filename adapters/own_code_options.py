"""The options of a folder with custom code: its family, and the options that its call uses."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NoReturn

from adapters.errors import ModelError, UsageError
from adapters.kinds import own_classes
from adapters.lengths import length_of
from adapters.models import CODE_FILES, ModelFolder, open_folder
from adapters.own_code_folder import OwnCode
from adapters.paths import user_path
from adapters.prompt_template import PromptTemplate, load_template
from adapters.reranker_family import CLASSES, Call, CodeCall, families, family_of_code, load_family

_TEMPLATED = ("text", "layers", "querit")


@dataclass(frozen=True)
class Calling:
    """How the model of a folder is called.

    Args:
        code: the call and what it needs.
        template: the packaged template that makes the text, by its name.
        max_length: tokens of an input that the model is published with, if no template says it.
    """

    code: CodeCall
    template: str | None = None
    max_length: int | None = None

    @property
    def call(self) -> Call:
        """How the model is called."""
        return self.code.call

    @classmethod
    def of(cls, name: str) -> Calling | None:
        """That of a packaged family; None if it needs no code of its folder."""
        family = families()[name]
        if family.code is None:
            return None
        return cls(family.code, *((None, family.max_length) if family.body is None else (name, None)))


def model_folder(model: str, revision: str | None) -> ModelFolder:
    """The folder of a model, with the code that it contains.

    Raises:
        ModelError: it cannot be found, names no code, or needs modules that only sentence-transformers reads.
    """
    folder = open_folder(model, revision)
    named = own_classes(folder)
    if not user_path(model).is_dir() and any("--" not in name for name in named.values()):
        folder = open_folder(model, revision, CODE_FILES)
    foreign = [module.type for module in folder.chain if module.name != "Transformer" or not module.known]
    if foreign:
        raise ModelError(
            f"'{folder.name}': modules.json names {foreign[0]}, and ?code=own runs models of transformers alone; score "
            "it where it runs, and give the result as 'run:FILE'"
        )
    if folder.base is not None:
        raise ModelError(f"'{folder.name}' is a LoRA adapter; merge it into its base before it is run with ?code=own")
    if not named:
        raise ModelError(f"'{folder.name}' names no code of its own (auto_map); leave ?code=own out")
    return folder


def chosen_calling(own: OwnCode, call: Call | None, template: str | None = None) -> Calling:
    """How a folder is called: as its family is, as the user's file `template` says in its table `[code]`, or by `call`,
    which overrides both.

    Raises:
        ModelError: neither defines how the model is called, or the folder has no class for the call.
    """
    name = family_of_code(own.named)
    known = _written(template) or (None if name is None else Calling.of(name))
    if known is None and call is None:
        raise ModelError(
            f"'{own.folder.name}' is of no known family ({', '.join(sorted(own.named))}), so nothing says how its code "
            f"is called; choose with ?code=own&call=NAME, NAME being {', '.join(CLASSES)} (docs/templates.md)"
        )
    if known is None or (call is not None and call != known.call):
        assert call is not None
        known = Calling(CodeCall(call)) if known is None else _called_otherwise(known, call)
    networks = own.networks
    if networks and CLASSES[known.call] not in networks:
        raise ModelError(
            f"'{own.folder.name}': call={known.call} loads {CLASSES[known.call]}, and its auto_map has only "
            f"{', '.join(networks)}; choose another call"
        )
    return known


def _written(template: str | None) -> Calling | None:
    """How the user's own file says that the model is called; None if there is none, or it does not say so."""
    code = None if template is None or template in families() else load_family(template).code
    return None if code is None else Calling(code)


def _called_otherwise(known: Calling, call: Call) -> Calling:
    return replace(known, code=replace(known.code, call=call), template=None)


def _usual_template(call: Call) -> str | None:
    """The template of a call that one family alone has, whose class is not known."""
    unnamed = ((name, one) for name, one in families().items() if one.code and not one.recognised.architectures)
    return next((name for name, one in unnamed if one.code and one.code.call == call), None)


def chosen_template(
    folder: ModelFolder, calling: Calling, template: str | None, instruction: str | None
) -> PromptTemplate | None:
    """The template that makes the text of a call; None for a call without one.

    Raises:
        UsageError: the call does not use a template or an instruction, or the document does not end its piece of the
            template.
        ModelError: no template is named.
    """
    if calling.call not in _TEMPLATED:
        if template is not None or instruction is not None:
            _useless("template" if template is not None else "instruction", calling, "makes no text")
        return None
    named = template or calling.template or _usual_template(calling.call)
    if named is None:
        raise ModelError(
            f"'{folder.name}': nothing says which text call={calling.call} is given; name a template, as in "
            f"?code=own&call={calling.call}&template=FILE (docs/templates.md)"
        )
    found = load_template(named)
    if not found.document_ends_piece:
        raise UsageError(
            f"template={named}: the text after {{document}} belongs in 'suffix', or in a separate entry of "
            "'body', so that a long document can be cut"
        )
    if instruction is not None and not found.instructed:
        raise UsageError(f"template={named} has no place for an instruction; leave it out")
    return found


def chosen_length(
    folder: ModelFolder, calling: Calling, template: PromptTemplate | None, asked: int | None
) -> int | None:
    """Tokens of a whole input; None leaves it to the model's own method.

    Raises:
        UsageError: `asked` is less than 1, or the call does not use it.
        ModelError: `asked` is more than the number of positions, or nothing names a length.
    """
    if asked is not None and asked < 1:
        raise UsageError(f"max_length={asked} must be at least 1")
    if calling.call == "rerank" and asked is not None:
        _useless("max_length", calling, "cuts texts as the model's code does")
    if calling.call in ("rerank", "compute_score"):
        return asked
    usual = None if template is None else template.max_length
    return length_of(folder, asked, usual or calling.max_length)


@dataclass(frozen=True)
class Layering:
    """Which layer of a model with many heads gives the score, and where tokens are merged.

    Args:
        layer: the layer whose score counts.
        remark: the assumption made, if any.
        compresses: whether the model can merge tokens.
        ratio: how many tokens of a document become one; 1 merges none.
        layers: the layers before which tokens are merged.
    """

    layer: int
    remark: str = ""
    compresses: bool = False
    ratio: int = 1
    layers: tuple[int, ...] = ()

    @classmethod
    def chosen(
        cls, folder: ModelFolder, calling: Calling, layer: int | None, ratio: int | None, layers: str | None
    ) -> Layering | None:
        """The layering by the options; None for a call without layers.

        Raises:
            UsageError: an option is out of its range, or the call does not use it.
            ModelError: config.json does not give the number of layers.
        """
        given = {"layer": layer, "compress_ratio": ratio, "compress_layers": layers}
        if calling.call != "layers":
            for name, value in given.items():
                if value is not None:
                    _useless(name, calling, "has no layers to choose from")
            return None
        first, last, step = _range(folder)
        chosen = last if layer is None else layer
        if chosen not in range(first, last + 1, step):
            raise UsageError(f"layer={chosen}: '{folder.name}' has scores after layers {first} to {last}, every {step}")
        remark = f"scored after layer {last}, the last one; another one is chosen with ?layer=" if layer is None else ""
        merged = _merged(layers, last) if layers is not None else ()
        if (ratio or 1) < 1 or (ratio is not None and ratio > 1) != bool(merged):
            raise UsageError(
                "compress_ratio, 2 or more, and compress_layers belong together, as in "
                "?compress_ratio=2&compress_layers=24,40"
            )
        return cls(chosen, remark, calling.code.compresses or bool(merged), ratio or 1, merged)

    @property
    def identity(self) -> dict[str, object]:
        """For identities."""
        merged = {"compress_ratio": self.ratio, "compress_layers": list(self.layers)} if self.layers else {}
        return {"layer": self.layer, **merged}

    @property
    def call(self) -> dict[str, object]:
        """For the process."""
        return {
            "layer": self.layer, "compresses": self.compresses, "compress_ratio": self.ratio,
            "compress_layers": list(self.layers),
        }  # fmt: skip


def _range(folder: ModelFolder) -> tuple[int, int, int]:
    """The first and the last layer with a head, and the step between them."""
    named = [folder.config.get(key) for key in ("start_layer", "num_hidden_layers", "layer_sep")]
    first, last, step = (value if isinstance(value, int) and value > 0 else None for value in named)
    if last is None:
        raise ModelError(f"'{folder.name}': config.json names no num_hidden_layers; fetch or save the model again")
    return first or last, last, step or 1


def _merged(text: str, last: int) -> tuple[int, ...]:
    try:
        found = tuple(int(part) for part in text.split(","))
    except ValueError:
        found = ()
    if not found or min(found) < 0 or max(found) >= last:
        raise UsageError(
            f"compress_layers={text}: layers from 0 to {last - 1}, with commas, as in compress_layers=24,40"
        )
    return found


def _useless(option: str, calling: Calling, why: str) -> NoReturn:
    raise UsageError(f"call={calling.call} {why}; leave {option} out")
