"""Asymmetric models, in which a Router module sends queries and documents through different modules."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

from adapters.errors import ModelError
from adapters.models import TRANSFORMERS, ModelFolder, ModuleEntry
from adapters.protocols import Role

_ROUTERS = ("Router", "Asym")
"""The router's class, in the current release and before release 5."""
_FILES = ("router_config.json", "config.json")


def modules_of(folder: ModelFolder) -> tuple[ModuleEntry, ...]:
    """All modules of a folder: those of modules.json, each router followed by the modules of its routes, in order.

    Raises:
        ModelError: the configuration of a router is not valid.
    """
    found: list[ModuleEntry] = []
    for module in folder.chain:
        found.append(module)
        if module.name in _ROUTERS:
            found += _inside(folder, module)
    return tuple(found)


def names_of(folder: ModelFolder) -> list[str]:
    """The class names of `modules_of`."""
    return [module.name for module in modules_of(folder)]


def is_routed(folder: ModelFolder) -> bool:
    """Whether queries and documents can take different routes."""
    return any(module.name in _ROUTERS for module in folder.chain)


def networks_of(folder: ModelFolder) -> tuple[ModelFolder, ...]:
    """The networks inside routers, each as a separate folder with its tokenizer."""
    inside = [module for module in modules_of(folder) if module not in folder.chain]
    paths = (module.path for module in inside if module.name in TRANSFORMERS)
    return tuple(ModelFolder(f"{folder.name}/{path}", folder.path / path) for path in paths)


def refuse_missing_routes(folder: ModelFolder) -> None:
    """Refuse a router that has no route for queries or for documents.

    Raises:
        ModelError: a route is missing; the message names the routes.
    """
    for module in folder.chain:
        if module.name not in _ROUTERS:
            continue
        name, config = _config(folder, module)
        structure, parameters = config["structure"], config.get("parameters")
        mapped = parameters.get("route_mappings") if isinstance(parameters, Mapping) else None
        missing = [role for role in get_args(Role) if role not in structure]
        if missing and not mapped:
            raise ModelError(
                f"{folder.path / name}: the routes are {', '.join(map(repr, structure))}, and none is for "
                f"{'queries' if missing[0] == 'query' else 'documents'}; sentence-transformers looks for 'query' and "
                "'document': rename the route in 'structure'"
            )


def _inside(folder: ModelFolder, router: ModuleEntry) -> list[ModuleEntry]:
    name, config = _config(folder, router)
    types, ways = config["types"], config["structure"].values()
    used = [str(place) for way in ways if isinstance(way, list) for place in way if place in types]
    found = []
    for place in dict.fromkeys([*used, *types]):
        if place.startswith("/") or ".." in Path(place).parts:
            raise ModelError(f"{folder.path / name}: '{place}' is not a folder inside the model's folder")
        found.append(ModuleEntry(str(types[place]), f"{router.path}/{place}" if router.path else place))
    return found


def _config(folder: ModelFolder, router: ModuleEntry) -> tuple[str, dict[str, Any]]:
    """The file of a router's configuration, and its content."""
    prefix = f"{router.path}/" if router.path else ""
    name = next((f"{prefix}{one}" for one in _FILES if (folder.path / f"{prefix}{one}").is_file()), None)
    if name is None:
        where = str(folder.path / prefix).rstrip("/")
        raise ModelError(f"{where}: no {_FILES[0]} of its {router.name}; fetch or save the model again")
    config: dict[str, Any] = folder.json(name)
    types, structure = config.get("types"), config.get("structure")
    if not isinstance(types, dict) or not isinstance(structure, dict) or not structure:
        raise ModelError(f"{folder.path / name}: no 'types' and 'structure' of routes; fetch or save the model again")
    return name, config
