"""What drydock serves of a type, for people: functions with their descriptions, the arguments they take.

The API's definition comes without descriptions: a function of it is described by its resolver's docstring.
"""

from __future__ import annotations

from types import FunctionType
from typing import TYPE_CHECKING

from graphql import GraphQLNamedType, GraphQLObjectType

from drydock.cli_chain import functions_of
from drydock.cli_help import chain_help
from drydock.naming import kebab
from drydock.schema.registry import snake_case

if TYPE_CHECKING:
    from drydock.cli_chain import Chain
    from drydock.cli_flags import Flag
    from drydock.session import Session


def functions(session: Session, kind: GraphQLNamedType) -> dict[str, str]:
    """The functions of a type, by the name that is typed, with their descriptions."""
    if not isinstance(kind, GraphQLObjectType):
        return {}
    fields = {kebab(name): name for name in kind.fields if (kind.name, name) in session.resolvers}
    return {
        name: description(session, kind.name, fields[name], field.description)
        for name, field in functions_of(kind).items()
        if name in fields
    }


def description(session: Session, type_name: str, field: str, own: str | None) -> str:
    """A function's description: its own, else what its resolver says."""
    served = session.resolvers.get((type_name, field))
    if own or served is None or not isinstance(served.call, FunctionType):
        return own or ""
    return (served.call.__doc__ or "").partition("\n")[0]


def help_of(session: Session, chain: Chain, module: str) -> str:
    """The help of the function that a chain ends with; `module` is the module's description."""
    step = chain.last
    if len(chain.steps) == 1:
        text = step.result.description or module or step.definition.description or ""
    else:
        owner = chain.steps[-2].result.name
        text = description(session, owner, step.name, step.definition.description)
    return chain_help(chain, text, functions(session, step.result), last_flags(session, chain))


def last_flags(session: Session, chain: Chain) -> list[Flag]:
    """The flags of the function that a chain ends with, but for arguments that are not served."""
    step = chain.last
    owner = chain.steps[-2].result.name if len(chain.steps) > 1 else "Query"
    served = session.resolvers.get((owner, step.name))
    return [
        flag
        for flag in step.flags.values()
        if served is None or snake_case(flag.argument) in served.arguments
    ]
