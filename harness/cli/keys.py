"""Options made from the keys of a class. They take their types, defaults and help from its fields."""

from __future__ import annotations

import functools
import importlib
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_args, get_origin, get_type_hints

import typer

from adapters.errors import UsageError
from harness.cli.options import VARIABLES

if TYPE_CHECKING:
    from training.configuration import Layer
    from training.keys import Key

Verb = Callable[..., None]
_COMMAND_LINE = "the command line"
_CONTEXT = "context"
_KEYS = "option_by_key"
_FILE = "A TOML file with the configuration. --print-config prints one. An option has precedence over the file."
_PRINT = "Print the configuration with every key, its meaning and its value, and stop."


@dataclass(frozen=True)
class Option:
    """An option that sets a key."""

    name: str
    """The name without dashes: `lr` for `--lr`."""
    key: Key
    former: str | None = None
    """For an option of an earlier release: what to use now. None for a current option."""

    @property
    def parameter(self) -> str:
        """The name of the parameter of the command."""
        return self.name.replace("-", "_")

    @property
    def shown(self) -> str:
        """The option as a user writes it."""
        return f"--{self.name}"

    def value(self, given: object) -> object:
        """Return the given value with the type of the key.

        Raises:
            UsageError: the key cannot have this value.
        """
        from adapters.typed_values import typed
        from training.keys import without_none

        plain = str(given) if isinstance(given, Path) else given
        if _is_list(self.key) and isinstance(given, list | tuple):
            plain = [typed(get_args(without_none(self.key.kind))[0], one, self.shown) for one in given]
        return typed(self.key.kind, plain, self.shown)


def with_keys(**classes: tuple[str, Mapping[str, str]]) -> Callable[[Verb], Verb]:
    """Replace parameters of a command, whose types are classes, by options for the keys of the classes.

    Args:
        classes: by the name of the parameter: its class as `module:Class`, and the key that each option sets.
    """

    def decorated(verb: Verb) -> Verb:
        kinds = {name: _class(where) for name, (where, _) in classes.items()}
        offered = {name: _options(kinds[name], options) for name, (_, options) in classes.items()}

        @functools.wraps(verb)
        def run(**given: Any) -> None:
            values = {name: _value(kinds[name], options, given) for name, options in offered.items()}
            verb(**given, **values)

        _remember(run, [one for options in offered.values() for one in options])
        return _signed(run, verb, {name: list(map(_parameter, one)) for name, one in offered.items()})

    return decorated


def with_configuration(
    parameter: str, where: str, options: Mapping[str, str], former: Mapping[str, str], renamed: Mapping[str, str]
) -> Callable[[Verb], Verb]:
    """Add a configuration to a command: a file, options for some of its keys, and hidden options of earlier releases.

    The command gets a `training.configuration.Configured` as `parameter`.

    Args:
        where: the class of the configuration as `module:Class`.
        options: the key that each option sets.
        former: the same for options of the last release. Each prints a warning that names the key.
        renamed: options of earlier releases, with the name in `options` that replaces each.
    """

    def decorated(verb: Verb) -> Verb:
        kind = _class(where)
        offered = [
            *_options(kind, options),
            *_options(kind, former, "{key} in the configuration"),
            *_options(kind, {old: options[new] for old, new in renamed.items()}, "--{new}", renamed),
        ]

        @functools.wraps(verb)
        def run(**given: Any) -> None:
            found = _configured(kind, offered, given)
            if found is not None:
                verb(**given, **{parameter: found})

        _remember(run, offered)
        keyed = [_unset(one) for one in offered]
        return _signed(run, verb, {parameter: [_context(), *_files(), *keyed]})

    return decorated


def option_for(command: object, wrong: str) -> str | None:
    """What sets the key of this name: `--lr` for `--learning-rate`, or a key in the configuration; None if nothing."""
    known: Mapping[str, str] = getattr(getattr(command, "callback", None), _KEYS, {})
    return known.get(wrong.lstrip("-").replace("_", "-"))


def _remember(run: Verb, offered: Sequence[Option]) -> None:
    """Keep the options of a command by the names of their keys, with the tables and without."""
    known: dict[str, str] = {}
    for one in offered:
        for name in (one.key.path, one.key.path.rpartition(".")[2]):
            known.setdefault(name.replace("_", "-"), one.former or one.shown)
    setattr(run, _KEYS, known)


def _configured(kind: Any, offered: Sequence[Option], given: dict[str, Any]) -> Any:
    """Return the configuration, or None if it was only printed. Removes its options from `given`."""
    from training.configuration import configured, toml_of

    layers = _layers(offered, given)
    found = configured(kind, layers)
    if given.pop("print_config"):
        typer.echo(toml_of(found.config), nl=False)
        return None
    return found


def _layers(offered: Sequence[Option], given: dict[str, Any]) -> list[Layer]:
    """Return what the variables, the file and the command line set. Later ones have precedence."""
    from training.configuration import Layer, file_layer, nested

    context = given.pop(_CONTEXT)
    set_here: dict[str, dict[str, object]] = {}
    for one in offered:
        value = given.pop(one.parameter)
        if value is None or value == []:
            continue
        if one.former:
            shown = f"--no-{one.name}" if value is False else one.shown
            typer.echo(f"harness: {shown} is now {one.former}", err=True)
        origin = VARIABLES[one.name] if _from_variable(context, one) else _COMMAND_LINE
        if one.key.path in set_here.get(origin, {}):
            raise UsageError(f"{one.shown} is given twice, also as {one.former}; use only {one.former}")
        set_here.setdefault(origin, {})[one.key.path] = one.value(value)
    file = _one_file(given.pop("configuration"), given.pop("config"))
    written = set_here.pop(_COMMAND_LINE, {})
    layers = [Layer(origin, nested(values)) for origin, values in set_here.items()]
    layers += [file_layer(file)] if file else []
    return [*layers, *([Layer(_COMMAND_LINE, nested(written))] if written else [])]


def _one_file(first: Path | None, second: Path | None) -> Path | None:
    if first is not None and second is not None:
        raise UsageError(f"two configurations, {first} and {second}; name only one")
    return first or second


def _from_variable(context: typer.Context, one: Option) -> bool:
    source = context.get_parameter_source(one.parameter)
    return source is not None and source.name == "ENVIRONMENT"


def _class(where: str) -> Any:
    module, _, name = where.partition(":")
    return getattr(importlib.import_module(module), name)


def _options(
    kind: Any, options: Mapping[str, str], former: str | None = None, renamed: Mapping[str, str] | None = None
) -> list[Option]:
    from training.keys import keys_of

    keys = keys_of(kind)
    return [
        Option(name, keys[key], former and former.format(key=key, new=(renamed or {}).get(name)))
        for name, key in options.items()
    ]


def _value(kind: Any, options: Sequence[Option], given: dict[str, Any]) -> Any:
    from training.configuration import Layer, configured, nested

    values = {one.key.path: one.value(found) for one in options if (found := given.pop(one.parameter)) is not None}
    return configured(kind, [Layer("", nested(values))]).config


def _parameter(one: Option) -> inspect.Parameter:
    """Return an option with the default of its key, which the help shows."""
    default = None if one.key.default == [] else one.key.default
    return _made(one.parameter, _kind(one.key, optional=default is None), _declared(one), default)


def _unset(one: Option) -> inspect.Parameter:
    """Return an option without a default: if it is not given, the file decides."""
    stated = "" if one.key.default in (None, []) else f" Default: {_stated(one)}."
    declared = _declared(one, f"{one.key.text}{stated}", hidden=one.former is not None)
    return _made(one.parameter, _kind(one.key, optional=True), declared, None)


def _stated(one: Option) -> str:
    """The default of a key, for a switch the option that sets it."""
    if isinstance(one.key.default, bool):
        return one.shown if one.key.default else "off"
    return str(one.key.default)


def _declared(one: Option, text: str = "", *, hidden: bool = False) -> Any:
    repeatable = " Repeatable." if _is_list(one.key) else ""
    both = _kind(one.key, optional=False) is bool and one.key.default is not False
    off = f"/--no-{one.name}" if both else ""
    is_text = _kind(one.key, optional=False) is str
    return typer.Option(
        f"{one.shown}{off}",
        envvar=VARIABLES.get(one.name),
        help=f"{text or one.key.text}{repeatable}",
        hidden=hidden,
        metavar=f"<{'|'.join(one.key.choices)}>" if is_text and one.key.choices else None,
    )


def _kind(key: Key, *, optional: bool) -> Any:
    from training.keys import without_none

    plain = without_none(key.kind)
    if _is_list(key):
        plain = list[without_none(get_args(plain)[0])]  # type: ignore[misc]
    return plain | None if optional else plain


def _is_list(key: Key) -> bool:
    return get_origin(key.kind) is tuple


def _context() -> inspect.Parameter:
    return inspect.Parameter(_CONTEXT, inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)


def _files() -> Iterator[inspect.Parameter]:
    argument = typer.Argument(metavar="CONFIG.toml", help=_FILE, show_default=False)
    yield _made("configuration", Path | None, argument, None)
    yield _made("config", Path | None, typer.Option("--config", help="The same as the argument."), None)
    yield _made("print_config", bool, typer.Option("--print-config", help=_PRINT), default=False)


def _made(name: str, kind: Any, declared: Any, default: object) -> inspect.Parameter:
    annotation = Annotated[kind, declared]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def _signed(run: Verb, verb: Verb, replaced: Mapping[str, Sequence[inspect.Parameter]]) -> Verb:
    """Return the command with a signature in which some parameters are replaced by others."""
    parameters = [one for own in _own(verb, replaced) for one in (replaced.get(own.name) or [own])]
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {one.name: one.annotation for one in parameters}
    return run


def _own(verb: Verb, replaced: Mapping[str, object]) -> Iterator[inspect.Parameter]:
    def stub() -> None:
        pass

    stub.__annotations__ = {name: kind for name, kind in verb.__annotations__.items() if name not in replaced}
    hints = get_type_hints(stub, verb.__globals__, include_extras=True)
    for one in inspect.signature(verb).parameters.values():
        kind = hints.get(one.name, Any)
        yield inspect.Parameter(one.name, inspect.Parameter.KEYWORD_ONLY, default=one.default, annotation=kind)
