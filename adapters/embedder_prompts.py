"""The prompts of an embedder, and remarks on them for readers of its scores."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import get_args
from urllib.parse import quote

from adapters.embedder_family import EmbedderFamily, families, recognised_families
from adapters.errors import ModelError
from adapters.models import ModelFolder
from adapters.protocols import Role
from adapters.vector_form import VectorForm

_SETTINGS = "config_sentence_transformers.json"


def remarks_on(
    folder: ModelFolder,
    prompts: Mapping[Role, str],
    given: Mapping[Role, str | None],
    form: VectorForm,
    *,
    compared: bool,
) -> tuple[str, ...]:
    """Settings that a folder does not declare although its files show how its authors use it, each with its option.

    Args:
        prompts: the prompts in use.
        given: the prompts that the user gave; None for a role without one.
        compared: whether the folder or the user says how vectors are compared.
    """
    found = recognised_families(folder)
    open_roles = [role for role in get_args(Role) if given[role] is None and not prompts[role]]
    known = [families()[name] for name in found]
    remarks = [*_of_prompts(folder, found, known, open_roles)]
    if len(known) == 1:
        remarks += _of_form(folder, known[0], form, compared=compared)
    return tuple(remarks)


def refuse_bare_member(folder: ModelFolder) -> None:
    """Refuse a folder of a known family that was saved without modules.json and so declares no pooling and no prompts.

    Raises:
        ModelError: it is such a folder; the message gives the option that names the family.
    """
    found = () if folder.chain else recognised_families(folder)
    if any(families()[name].pooling for name in found):
        raise ModelError(
            f"'{folder.name}' has no modules.json that makes it an embedder; its files show the family "
            f"{' or '.join(found)}: choose with 'embedder:{folder.name}?family={found[0]}', or say how its authors "
            "make and compare vectors with ?pooling=...&similarity=..."
        )


def _of_prompts(
    folder: ModelFolder, found: tuple[str, ...], known: list[EmbedderFamily], open_roles: list[Role]
) -> Iterator[str]:
    lacking = [role for role in open_roles if any(family.prompts[role] for family in known)]
    options = " or ".join(f"?family={name}" for name in found)
    if lacking:
        described = ", or ".join(_described(name, family, lacking) for name, family in zip(found, known, strict=True))
        none = "&".join(f"{role}_prompt=" for role in lacking)
        yield (
            f"its folder declares no prompt for {_plural(lacking)}, so none is used; its files show the family "
            f"{described} (choose with {options}, or say that none is right with ?{none})"
        )
    elif "query" in open_roles and not known and (others := _other_prompts(folder)):
        name, text = next(iter(others.items()))
        yield (
            f"{_SETTINGS} has prompts ({', '.join(others)}), and none is named 'query' or is the default, so none is "
            f"used; choose one, as in ?query_prompt={quote(text)} ({name}), or say ?query_prompt="
        )


def _described(name: str, family: EmbedderFamily, roles: list[Role]) -> str:
    return f"{name}, with " + " and ".join(
        f"{family.prompts[role]!r} before {_plural([role])}" for role in roles if family.prompts[role]
    )


def _of_form(folder: ModelFolder, family: EmbedderFamily, form: VectorForm, *, compared: bool) -> Iterator[str]:
    if family.similarity is not None and not compared and family.similarity != form.similarity:
        yield (
            f"its folder declares no similarity, so vectors are compared by the {form.similarity}; its files show a "
            f"family that compares them by {family.similarity} (choose with ?similarity={family.similarity} or "
            f"?similarity={form.similarity})"
        )
    cut = form.dimensions or folder.sentence_settings.get("truncate_dim")
    if family.layer_norm_before_cut and cut is not None and "LayerNorm" not in folder.modules:
        yield (
            f"vectors are cut to {cut} numbers as sentence-transformers cuts them; the authors of this family subtract "
            "the mean of all numbers and divide by their deviation first"
        )


def _other_prompts(folder: ModelFolder) -> dict[str, str]:
    listed = folder.json(_SETTINGS).get("prompts") if folder.chain else None
    texts = listed if isinstance(listed, Mapping) else {}
    return {str(name): text for name, text in texts.items() if isinstance(text, str) and text}


def _plural(roles: list[Role]) -> str:
    return " or ".join({"query": "queries", "document": "documents"}[role] for role in roles)
