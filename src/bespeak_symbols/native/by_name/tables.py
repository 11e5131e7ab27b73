"""What the nodes of each grammar mean: which define, which call, which name a member, which bind a local name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

FIRST, LAST, ALL = "<first>", "<last>", "<all>"
"""In place of a field: the first or last named child, or all children that are names."""


@dataclass(frozen=True, slots=True)
class Table:
    """One grammar.

    Args:
        grammar: its name.
        names: types of nodes that are a name.
        definitions: the kind of symbol, by type of node.
        named: the field with the name of a definition, where it is not ``name``.
        only: the type that the name of such a definition has; others define nothing.
        fixed: the name of a definition that has none.
        held: the kind of symbol in which such a definition stands; elsewhere it defines nothing.
        calls: the field with what is called, by type of node.
        members: the fields with what stands before and after the dot, by type of node.
        binds: the field with the local names that a node binds, by type of node.
        heirs: types of nodes whose names are what a type derives from.
        bodies: types of nodes that are no part of a signature.
        skipped: types of nodes in which nothing is used.
        itself: how a member names what it belongs to.
    """

    grammar: str
    names: frozenset[str]
    definitions: Mapping[str, str]
    named: Mapping[str, str] = field(default_factory=dict)
    only: Mapping[str, str] = field(default_factory=dict)
    fixed: Mapping[str, str] = field(default_factory=dict)
    held: Mapping[str, str] = field(default_factory=dict)
    calls: Mapping[str, str] = field(default_factory=dict)
    members: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    binds: Mapping[str, str] = field(default_factory=dict)
    heirs: frozenset[str] = frozenset()
    bodies: frozenset[str] = frozenset()
    skipped: frozenset[str] = frozenset()
    itself: frozenset[str] = frozenset({"self", "this"})


def _types(text: str) -> frozenset[str]:
    return frozenset(text.split())


_RUBY = Table(
    "ruby",
    _types("identifier constant"),
    {
        "module": "module",
        "class": "class",
        "method": "function",
        "singleton_method": "function",
        "alias": "function",
        "assignment": "constant",
    },
    named={"assignment": "left"},
    only={"assignment": "constant"},
    members={"call": ("receiver", "method"), "scope_resolution": ("scope", "name")},
    calls={"call": "method"},
    binds={
        "assignment": "left",
        "left_assignment_list": ALL,
        "method_parameters": ALL,
        "block_parameters": ALL,
        "optional_parameter": "name",
        "keyword_parameter": "name",
        "splat_parameter": "name",
        "hash_splat_parameter": "name",
        "block_parameter": "name",
        "exception_variable": ALL,
        "for": "pattern",
    },
    heirs=_types("superclass"),
    bodies=_types("body_statement"),
)
_KOTLIN = Table(
    "kotlin",
    _types("identifier"),
    {
        "class_declaration": "class",
        "object_declaration": "class",
        "function_declaration": "function",
        "property_declaration": "variable",
        "type_alias": "type",
        "enum_entry": "constant",
        "secondary_constructor": "method",
    },
    fixed={"secondary_constructor": "constructor"},
    named={"property_declaration": "variable_declaration", "type_alias": "type", "enum_entry": FIRST},
    calls={"call_expression": FIRST},
    members={"navigation_expression": (FIRST, LAST)},
    binds={"parameter": FIRST, "class_parameter": FIRST, "variable_declaration": FIRST, "catch_block": FIRST},
    heirs=_types("delegation_specifiers"),
    bodies=_types("class_body function_body enum_class_body"),
    skipped=_types("import package_header"),
)
_CSHARP = Table(
    "c_sharp",
    _types("identifier"),
    {
        "class_declaration": "class",
        "interface_declaration": "interface",
        "struct_declaration": "struct",
        "record_declaration": "class",
        "enum_declaration": "enum",
        "enum_member_declaration": "constant",
        "delegate_declaration": "type",
        "method_declaration": "method",
        "constructor_declaration": "method",
        "property_declaration": "variable",
        "event_declaration": "variable",
        "local_function_statement": "function",
        "variable_declarator": "variable",
    },
    calls={"invocation_expression": "function", "object_creation_expression": "type"},
    members={
        "member_access_expression": ("expression", "name"),
        "qualified_name": ("qualifier", "name"),
        "member_binding_expression": ("", "name"),
    },
    binds={
        "parameter": "name",
        "variable_declarator": "name",
        "foreach_statement": "left",
        "catch_declaration": "name",
        "declaration_pattern": "name",
        "implicit_parameter": ALL,
        "namespace_declaration": "name",
        "file_scoped_namespace_declaration": "name",
    },
    heirs=_types("base_list"),
    bodies=_types("block declaration_list arrow_expression_clause enum_member_declaration_list accessor_list"),
    skipped=_types("using_directive"),
)
_PHP = Table(
    "php",
    _types("name"),
    {
        "class_declaration": "class",
        "interface_declaration": "interface",
        "trait_declaration": "trait",
        "enum_declaration": "enum",
        "enum_case": "constant",
        "method_declaration": "method",
        "function_definition": "function",
        "const_element": "constant",
        "property_element": "variable",
    },
    named={"const_element": FIRST},
    calls={
        "function_call_expression": "function",
        "member_call_expression": "name",
        "nullsafe_member_call_expression": "name",
        "scoped_call_expression": "name",
        "object_creation_expression": FIRST,
    },
    members={
        "member_call_expression": ("object", "name"),
        "nullsafe_member_call_expression": ("object", "name"),
        "scoped_call_expression": ("scope", "name"),
        "member_access_expression": ("object", "name"),
        "nullsafe_member_access_expression": ("object", "name"),
        "class_constant_access_expression": (FIRST, LAST),
        "qualified_name": ("prefix", LAST),
    },
    heirs=_types("base_clause class_interface_clause"),
    bodies=_types("compound_statement declaration_list enum_declaration_list"),
    skipped=_types("namespace_use_declaration namespace_name variable_name"),
    itself=_types("$this self static"),
)
_SWIFT = Table(
    "swift",
    _types("simple_identifier type_identifier"),
    {
        "class_declaration": "class",
        "protocol_declaration": "interface",
        "function_declaration": "function",
        "protocol_function_declaration": "method",
        "property_declaration": "variable",
        "typealias_declaration": "type",
        "enum_entry": "constant",
        "init_declaration": "method",
        "deinit_declaration": "method",
    },
    fixed={"init_declaration": "init", "deinit_declaration": "deinit"},
    calls={"call_expression": FIRST},
    members={"navigation_expression": ("target", "suffix")},
    binds={"parameter": ALL, "property_declaration": "name", "lambda_parameter": ALL, "for_statement": "item"},
    heirs=_types("inheritance_specifier"),
    bodies=_types("class_body protocol_body function_body enum_class_body"),
    skipped=_types("import_declaration value_argument_label"),
)
_SCALA = Table(
    "scala",
    _types("identifier type_identifier"),
    {
        "class_definition": "class",
        "object_definition": "class",
        "trait_definition": "trait",
        "enum_definition": "enum",
        "simple_enum_case": "constant",
        "full_enum_case": "class",
        "function_definition": "function",
        "function_declaration": "function",
        "val_definition": "variable",
        "var_definition": "variable",
        "val_declaration": "variable",
        "type_definition": "type",
        "given_definition": "variable",
    },
    named={"val_definition": "pattern", "var_definition": "pattern"},
    calls={"call_expression": "function", "instance_expression": FIRST},
    members={"field_expression": ("value", "field"), "stable_identifier": (FIRST, LAST)},
    binds={
        "parameter": "name",
        "class_parameter": "name",
        "val_definition": "pattern",
        "var_definition": "pattern",
        "binding": "name",
        "enumerator": FIRST,
        "case_clause": "pattern",
    },
    heirs=_types("extends_clause"),
    bodies=_types("template_body enum_body block indented_block"),
    skipped=_types("import_declaration package_clause"),
)
_SHELL = Table(
    "bash",
    _types("variable_name"),
    {"function_definition": "function", "variable_assignment": "variable"},
    calls={"command": "name"},
    binds={"variable_assignment": "name"},
    bodies=_types("compound_statement"),
)
_LUA = Table(
    "lua",
    _types("identifier"),
    {"function_declaration": "function"},
    calls={"function_call": "name"},
    members={"dot_index_expression": ("table", "field"), "method_index_expression": ("table", "method")},
    binds={"parameters": ALL, "variable_list": ALL, "for_generic_clause": ALL, "for_numeric_clause": "name"},
    bodies=_types("block"),
)
_CREATED = (
    "create_table",
    "create_view",
    "create_materialized_view",
    "create_function",
    "create_procedure",
    "create_type",
    "create_trigger",
    "create_sequence",
)
_SQL = Table(
    "sql",
    _types("identifier"),
    {
        "create_table": "struct",
        "create_view": "struct",
        "create_materialized_view": "struct",
        "create_function": "function",
        "create_procedure": "function",
        "create_type": "type",
        "create_trigger": "function",
        "create_sequence": "variable",
        "column_definition": "variable",
    },
    named=dict.fromkeys(_CREATED, "object_reference"),
    held={"column_definition": "struct"},
    calls={"invocation": FIRST},
    members={"object_reference": (FIRST, "name"), "field": (FIRST, "name")},
    binds={"function_argument": FIRST},
    bodies=_types("function_body procedure_body column_definitions create_query"),
    skipped=_types("function_language"),
)

TABLES: dict[str, Table] = {
    "ruby": _RUBY,
    "kotlin": _KOTLIN,
    "csharp": _CSHARP,
    "php": _PHP,
    "swift": _SWIFT,
    "scala": _SCALA,
    "shell": _SHELL,
    "lua": _LUA,
    "sql": _SQL,
}
"""The table of each language."""
