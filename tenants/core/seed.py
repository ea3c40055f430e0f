"""Puts the Province and its 135 municipalities into the directory; `pipc init` runs it as often as it likes."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, create_engine, pool, text

from app.kernel import jobs
from tenants.core import discovery
from tenants.core.models import PROVINCE_ID, PROVINCE_SLUG
from tenants.data.municipalities import MunicipalityFacts, municipalities

_UPSERT = text("""
    insert into app.tenants (id, kind, slug, code, name, kc_alias, state, section, head_town, lat, lon, population)
    values (:id, :kind, :slug, :code, :name, :alias, :state, :section, :head_town, :lat, :lon, :population)
    on conflict (id) do update set slug = excluded.slug, code = excluded.code, name = excluded.name,
      section = excluded.section, head_town = excluded.head_town, lat = excluded.lat, lon = excluded.lon,
      population = excluded.population
    where (tenants.slug, tenants.code, tenants.name, tenants.section, tenants.head_town, tenants.lat, tenants.lon,
           tenants.population)
      is distinct from (excluded.slug, excluded.code, excluded.name, excluded.section, excluded.head_town, excluded.lat,
           excluded.lon, excluded.population)""")


def seed_directory(url: str) -> int:
    """Insert or correct every tenant's facts as `app_migrate`; states and settings already there are kept.

    Returns how many rows changed, so that a second run answers 0.
    """
    with _bypassing(url) as connection, connection.begin():
        _become_bypass(connection)
        return sum(connection.execute(_UPSERT, row).rowcount for row in (_province(), *map(_values, municipalities())))


_SCHEDULE = text("""
    insert into app.schedules (tenant_id, name, kind, queue, cron, next_at) values (:tenant, :kind, :kind, :queue, :cron, now())
    on conflict (tenant_id, name) do update set queue = excluded.queue, cron = excluded.cron
    where (schedules.queue, schedules.cron) is distinct from (excluded.queue, excluded.cron)""")
_UNDECLARED = text("delete from app.schedules where tenant_id = :tenant and name = kind and not name = any(:kinds)")


def seed_schedules(url: str) -> int:
    """Make the schedules of the Province those that jobs declare (`@job(…, cron=…)`). Returns how many rows changed.

    A new one runs at once and then at its times.
    """
    discovery.load("tasks")
    timed = [job for job in jobs.declared().values() if job.cron]
    with _bypassing(url) as connection, connection.begin():
        _become_bypass(connection)
        changed = sum(
            connection.execute(
                _SCHEDULE, {"tenant": PROVINCE_ID, "kind": job.kind, "queue": job.queue, "cron": job.cron}
            ).rowcount
            for job in timed
        )
        gone = connection.execute(_UNDECLARED, {"tenant": PROVINCE_ID, "kinds": [job.kind for job in timed]})
        return changed + gone.rowcount


def activate(url: str, slugs: Collection[str], *, demonstration: bool) -> int:
    """Open the doors of these municipalities (and of the Province); with `demonstration` their records are marked so."""
    with _bypassing(url) as connection, connection.begin():
        _become_bypass(connection)
        changed = connection.execute(
            text(
                "update app.tenants set state = 'active', is_demo = is_demo or :demo, version = version + 1"
                " where slug = any(:slugs) and (state <> 'active' or is_demo <> (is_demo or :demo))"
            ),
            {"slugs": sorted(slugs), "demo": demonstration},
        )
        return changed.rowcount


def _bypassing(url: str) -> Connection:
    return create_engine(url, poolclass=pool.NullPool).connect()


def _become_bypass(connection: Connection) -> None:
    """Row security is forced on the owner too: as owner these statements would change 0 rows and look well."""
    connection.execute(text("select set_config('app.user_id', 'sistema:init', true)"))
    connection.execute(text("set local role app_bypass"))


def _province() -> dict[str, object]:
    return {
        "id": PROVINCE_ID, "kind": "province", "slug": PROVINCE_SLUG, "code": "06", "name": "Provincia de Buenos Aires",
        "alias": None, "state": "active", "section": None, "head_town": "La Plata", "lat": -34.9214, "lon": -57.9545,
        "population": None,
    }  # fmt: skip


def _values(facts: MunicipalityFacts) -> dict[str, object]:
    return {
        "id": facts.tenant_id, "kind": "municipality", "slug": facts.slug, "code": facts.code, "name": facts.name,
        "alias": f"muni-{facts.code}", "state": "inactive", "section": facts.section, "head_town": facts.head_town,
        "lat": facts.lat, "lon": facts.lon, "population": facts.population,
    }  # fmt: skip
