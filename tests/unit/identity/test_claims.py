"""Only the exact organization expected lets anybody in."""

from __future__ import annotations

import pytest

from app.identity.claims import organization_alias, organization_roles, provincial_roles
from app.kernel.ports import TokenRefused

ALIAS, ORGANIZATION = "muni-06448", "2280395a"


def organization(roles: object = ("supervisor",), **changes: object) -> dict[str, object]:
    content = {"id": ORGANIZATION, "groups": ["/supervisor"], "resource_access": {"api": {"roles": list(roles)}}}  # type: ignore[call-overload]
    return {"organization": {ALIAS: {**content, **changes}}}


def roles_of(claims: dict[str, object]) -> tuple[str, ...]:
    return organization_roles(claims, alias=ALIAS, organization_id=ORGANIZATION)


def test_roles_inside_the_expected_organization_are_read() -> None:
    assert roles_of(organization(["supervisor", "operador-municipal"])) == ("operador-municipal", "supervisor")


def test_roles_outside_the_organization_are_never_read() -> None:
    claims = organization([]) | {
        "resource_access": {"api": {"roles": ["admin-municipal"]}},
        "realm_access": {"roles": ["direccion-admin", "supervisor"]},
    }

    assert roles_of(claims) == ()


def test_provincial_and_unknown_roles_inside_an_organization_give_nothing() -> None:
    assert roles_of(organization(["direccion-admin", "superusuario"])) == ()


@pytest.mark.parametrize(
    ("claim", "reason"),
    [
        (None, "no-organization"),
        ([ALIAS], "several-organizations"),
        (ALIAS, "several-organizations"),
        ({}, "several-organizations"),
        ({ALIAS: {"id": ORGANIZATION}, "muni-06833": {"id": "x"}}, "several-organizations"),
        ({"muni-06833": {"id": ORGANIZATION}}, "another-organization"),
        ({ALIAS.upper(): {"id": ORGANIZATION}}, "another-organization"),
        ({ALIAS: {"id": "otra"}}, "another-organization-id"),
        ({ALIAS: {}}, "another-organization-id"),
        ({ALIAS: [ORGANIZATION]}, "another-organization-id"),
        ({ALIAS: None}, "another-organization-id"),
    ],
)
def test_any_other_shape_of_the_claim_is_refused(claim: object, reason: str) -> None:
    with pytest.raises(TokenRefused) as refusal:
        roles_of({} if claim is None else {"organization": claim})

    assert refusal.value.reason == reason


def test_an_organization_not_yet_linked_lets_nobody_in() -> None:
    with pytest.raises(TokenRefused):
        organization_roles({"organization": {ALIAS: {"id": ""}}}, alias=ALIAS, organization_id="")


@pytest.mark.parametrize(
    "access",
    [None, "supervisor", {"api": None}, {"api": {"roles": "supervisor"}}, {"api": {"roles": [["supervisor"]]}}],
)
def test_roles_in_another_shape_are_no_roles(access: object) -> None:
    assert roles_of(organization(resource_access=access)) == ()


def test_provincial_roles_come_from_the_realm_only() -> None:
    claims = {"realm_access": {"roles": ["direccion-admin", "operador-municipal", "offline_access"]}}

    assert provincial_roles(claims) == ("direccion-admin",)
    assert provincial_roles({"resource_access": {"api": {"roles": ["direccion-admin"]}}}) == ()


def test_the_alias_of_a_token_is_its_only_organization() -> None:
    assert organization_alias(organization()) == ALIAS
    assert organization_alias({}) == ""


def test_the_alias_of_a_token_with_two_organizations_is_refused() -> None:
    with pytest.raises(TokenRefused):
        organization_alias({"organization": {ALIAS: {}, "muni-06833": {}}})
