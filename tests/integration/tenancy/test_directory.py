"""The directory of municipalities as the rest of the product asks for it."""

from __future__ import annotations

import pytest

from app.kernel.errors import NotFound
from app.kernel.unit_of_work import unit_of_work
from tenants.core import seed, service
from tests.support.world import ACTIVE, OURS, PROVINCE, World, actor


def test_the_province_comes_first_and_the_rest_by_name(world: World) -> None:
    found = service.directory()

    assert len(found) == 136
    assert found[0].is_province
    assert [tenant.name for tenant in found[1:]] == sorted(tenant.name for tenant in found[1:])


def test_a_municipality_is_found_by_its_address_and_by_its_number(world: World) -> None:
    laprida = service.by_slug("laprida")

    assert laprida == service.by_id(OURS)
    assert (laprida.is_active, laprida.is_demo, laprida.kc_alias) == (True, True, "muni-06448")
    assert not service.by_slug("tandil").is_active


@pytest.mark.parametrize("slug", ["springfield", "", "Laprida"])
def test_an_unknown_address_is_not_found(world: World, slug: str) -> None:
    with pytest.raises(NotFound):
        service.by_slug(slug)


def test_a_process_without_sign_in_knows_its_own_municipality(world: World) -> None:
    with unit_of_work(actor(OURS), role="worker"):
        assert service.own().slug == "laprida"
    with pytest.raises(NotFound), unit_of_work(actor(999), role="worker"):
        service.own()


def test_an_organization_is_linked_to_its_municipality_only(world: World) -> None:
    service.directory()

    service.link_organization(OURS, organization_id="org-1", state_hash="h")

    linked = [tenant.slug for tenant in service.directory() if tenant.kc_org_id == "org-1"]
    assert linked == ["laprida"]


def test_opening_doors_again_changes_nothing(world: World) -> None:
    assert seed.activate(world.urls["migrate"], ACTIVE, demonstration=True) == 0
    assert seed.activate(world.urls["migrate"], ["tandil"], demonstration=False) == 1
    service.forget()
    assert (service.by_slug("tandil").is_active, service.by_slug("tandil").is_demo) == (True, False)


def test_corrected_facts_are_put_right_and_settings_kept(world: World) -> None:
    with world.admin() as admin:
        admin.execute("update app.tenants set name = 'Mal', accent = '#123456' where id = %s", [OURS])

    assert seed.seed_directory(world.urls["migrate"]) == 1
    service.forget()
    assert (service.by_id(OURS).name, service.by_id(OURS).accent) == ("Laprida", "#123456")
    assert service.by_id(PROVINCE).slug == "provincia"
