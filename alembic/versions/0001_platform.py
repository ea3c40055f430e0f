"""The ground every context stands on: context functions, municipalities, outbox, schedules, events, audit and sessions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001_platform"
down_revision = None

_ROLES = "app_tenant, app_dir, app_audit, app_rt, app_clock, app_auth"


def _at(name: str, *, default: bool = False, nullable: bool = False) -> sa.Column:
    return sa.Column(
        name, sa.DateTime(timezone=True), nullable=nullable, server_default=sa.text("now()") if default else None
    )


def _tenant() -> sa.Column:
    return sa.Column("tenant_id", sa.Integer, nullable=False)


def upgrade() -> None:
    _context_functions()
    _partition_functions()
    _tenants()
    _outbox()
    _events()
    _audit()
    _audit_functions()
    _sessions()


def _context_functions() -> None:
    """What a transaction was bound to. A setting is '' and not NULL after its first local use in a session."""
    for name, setting, kind in (
        ("tenant", "app.tenant_id", "int"), ("actor", "app.user_id", "text"), ("purpose", "app.purpose", "text"),
    ):  # fmt: skip
        op.execute(
            f"create function app.{name}() returns {kind} language sql stable parallel safe"
            f" return nullif(current_setting('{setting}', true), '')::{kind}"
        )
        op.execute(f"revoke execute on function app.{name}() from public")
        op.execute(f"grant execute on function app.{name}() to {_ROLES}")


def _partition_functions() -> None:
    """Partition creation and expiry: the only DDL a job can reach. The period is in the comment of the table.

    A partition has its own forced row security without policies, and nobody is granted anything on it: rows are reached
    through the parent only.
    """
    op.execute("""
        create function app.ensure_partitions(p_table text default null, p_ahead int default 3) returns int
        language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
        declare parent record; step interval; mask text; start timestamptz; part text; made int := 0;
        begin
          for parent in
            select c.relname as name, substring(obj_description(c.oid) from 'partition=(\\w+)') as period
            from pg_class c where c.relnamespace = 'app'::regnamespace and c.relkind = 'p'
              and (p_table is null or c.relname = p_table) order by 1
          loop
            step := ('1 ' || parent.period)::interval;
            mask := case parent.period when 'day' then 'YYYYMMDD' else 'YYYYMM' end;
            if to_regclass(format('app.%I', parent.name || '_default')) is null then
              execute format('create table app.%I partition of app.%I default', parent.name || '_default', parent.name);
              perform app.close_partition(parent.name || '_default');
            end if;
            for k in -1..p_ahead loop
              start := date_trunc(parent.period, now() at time zone 'UTC') at time zone 'UTC' + k * step;
              part := parent.name || '_p' || to_char(start at time zone 'UTC', mask);
              continue when to_regclass(format('app.%I', part)) is not null;
              execute format('create table app.%I partition of app.%I for values from (%L) to (%L)',
                             part, parent.name, start, start + step);
              perform app.close_partition(part);
              made := made + 1;
            end loop;
          end loop;
          return made;
        end $$""")
    op.execute("""
        create function app.close_partition(p_part text) returns void
        language plpgsql volatile security invoker set search_path = pg_catalog, pg_temp as $$
        begin
          execute format('alter table app.%I enable row level security, force row level security', p_part);
          execute format('revoke all on app.%I from app_bypass', p_part);
        end $$""")
    op.execute("""
        create function app.drop_expired_events(p_before timestamptz) returns int
        language plpgsql volatile security definer set search_path = pg_catalog, pg_temp set lock_timeout = '2s' as $$
        declare part text; gone int := 0;
        begin
          for part in
            select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
            where i.inhparent = 'app.tenant_events'::regclass and c.relname ~ '_p\\d{8}$'
              and to_date(right(c.relname, 8), 'YYYYMMDD') + 1 <= (p_before at time zone 'UTC')::date order by 1
          loop
            execute format('alter table app.tenant_events detach partition app.%I', part);
            execute format('drop table app.%I', part);
            gone := gone + 1;
          end loop;
          return gone;
        end $$""")
    for name in ("ensure_partitions(text, int)", "close_partition(text)", "drop_expired_events(timestamptz)"):
        op.execute(f"revoke execute on function app.{name} from public")
    op.execute("grant execute on function app.ensure_partitions(text, int) to app_worker")
    op.execute("grant execute on function app.drop_expired_events(timestamptz) to app_worker")


def _tenants() -> None:
    """The directory of municipalities. A municipality sees its own row; sign-in and the Dirección see all."""
    op.create_table(
        "tenants",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("uuid", sa.Uuid, nullable=False, server_default=sa.text("gen_random_uuid()")),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("slug", sa.Text, nullable=False),
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("kc_alias", sa.Text),
        sa.Column("kc_org_id", sa.Text),
        sa.Column("kc_state_hash", sa.Text),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("section", sa.SmallInteger),
        sa.Column("head_town", sa.Text),
        sa.Column("lat", sa.Float),
        sa.Column("lon", sa.Float),
        sa.Column("population", sa.Integer),
        sa.Column("is_demo", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("accent", sa.Text),
        _at("created_at", default=True),
        sa.Column("version", sa.Integer, nullable=False, server_default="1"),
        sa.CheckConstraint("kind in ('province', 'municipality', 'training')", name="kind"),
        sa.CheckConstraint("state in ('inactive', 'active', 'suspended')", name="state"),
        sa.CheckConstraint("(id = 0) = (kind = 'province')", name="province"),
        sa.UniqueConstraint("uuid"),
        sa.UniqueConstraint("slug"),
        sa.UniqueConstraint("code"),
        sa.UniqueConstraint("kc_alias"),
        schema="app",
    )
    op.execute("alter table app.tenants enable row level security")
    op.execute("alter table app.tenants force row level security")
    op.execute("create policy tenant_self on app.tenants for select to app_tenant using (id = (select app.tenant()))")
    op.execute(
        "create policy tenant_self_write on app.tenants for update to app_tenant"
        " using (id = (select app.tenant())) with check (id = (select app.tenant()))"
    )
    op.execute("grant select on app.tenants to app_tenant")
    op.execute("grant update (kc_org_id, kc_state_hash, state, accent, version) on app.tenants to app_tenant")
    op.system_access("tenants", "app_auth", "select", ("select",))
    op.system_access("tenants", "app_dir", "all", ("select", "insert", "update"))


def _outbox() -> None:
    op.tenant_table(
        "outbox",
        _tenant(),
        sa.Column("id", sa.Uuid, nullable=False, server_default=sa.text("uuidv7()")),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("queue", sa.Text, nullable=False),
        sa.Column("args", JSONB, nullable=False),
        sa.Column("dedupe", sa.Text),
        _at("run_at", default=True),
        sa.Column("attempts", sa.SmallInteger, nullable=False, server_default="0"),
        _at("sent_at", nullable=True),
        sa.Column("epoch", sa.Integer, nullable=False, server_default="0"),
        _at("claimed_until", nullable=True),
        _at("done_at", nullable=True),
        _at("dead_at", nullable=True),
        sa.Column("error", sa.Text),
        sa.PrimaryKeyConstraint("tenant_id", "id"),
    )
    op.create_index(
        "uq_outbox_dedupe", "outbox", ["tenant_id", "kind", "dedupe"], unique=True, schema="app",
        postgresql_where=sa.text("dedupe is not null and done_at is null and dead_at is null"),
    )  # fmt: skip
    op.create_index(
        "ix_outbox_pending", "outbox", ["run_at"], schema="app",
        postgresql_where=sa.text("sent_at is null and done_at is null and dead_at is null"),
    )  # fmt: skip
    op.create_index(
        "ix_outbox_sent", "outbox", ["sent_at"], schema="app",
        postgresql_where=sa.text("sent_at is not null and done_at is null and dead_at is null"),
    )  # fmt: skip
    op.create_index(
        "ix_outbox_done", "outbox", ["done_at"], schema="app", postgresql_where=sa.text("done_at is not null")
    )
    op.system_access("outbox", "app_clock", "all", ("select", "insert", "update", "delete"))
    op.create_table(
        "schedules",
        _tenant(),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("queue", sa.Text, nullable=False),
        sa.Column("args", JSONB, nullable=False, server_default=sa.text("'{}'")),
        sa.Column("cron", sa.Text, nullable=False),
        sa.Column("tz", sa.Text, nullable=False, server_default="America/Argentina/Buenos_Aires"),
        sa.Column("misfire", sa.Text, nullable=False, server_default="run-once"),
        _at("next_at"),
        sa.PrimaryKeyConstraint("tenant_id", "name"),
        sa.CheckConstraint("misfire in ('skip', 'run-once')", name="misfire"),
        schema="app",
    )
    op.create_index("ix_schedules_next_at", "schedules", ["next_at"], schema="app")
    op.execute("grant select, update on app.schedules to app_clock")


def _events() -> None:
    op.tenant_table(
        "tenant_event_heads",
        _tenant(),
        sa.Column("seq", sa.BigInteger, nullable=False, server_default="0"),
        sa.PrimaryKeyConstraint("tenant_id"),
        privileges=("select", "update"),
    )
    op.tenant_table(
        "tenant_events",
        _tenant(),
        sa.Column("seq", sa.BigInteger, nullable=False),
        _at("occurred_at"),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("ref", sa.Text, nullable=False),
        sa.Column("payload", JSONB, nullable=False),
        sa.Column("audience", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "seq", "occurred_at"),
        sa.CheckConstraint("audience in ('room', 'admin', 'all')", name="audience"),
        partition_by="occurred_at",
        period="day",
        privileges=("select", "insert"),
    )
    for table in ("tenant_event_heads", "tenant_events"):
        op.system_access(table, "app_rt", "select", ("select",))


def _audit() -> None:
    """Append-only tables: nobody but the functions of `app_audit` writes them."""
    link = (sa.Column("hash", sa.LargeBinary, nullable=False),)
    op.tenant_table(
        "audit_heads",
        _tenant(),
        sa.Column("seq", sa.BigInteger, nullable=False),
        _at("occurred_at"),
        *link,
        sa.PrimaryKeyConstraint("tenant_id"),
        privileges=("select",),
    )
    op.tenant_table(
        "audit_entries",
        _tenant(),
        sa.Column("seq", sa.BigInteger, nullable=False),
        _at("occurred_at"),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("target", sa.Text, nullable=False),
        sa.Column("canon", sa.Text, nullable=False),
        sa.Column("prev", sa.LargeBinary, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "seq", "occurred_at"),
        partition_by="occurred_at",
        privileges=("select",),
    )
    op.create_index("ix_audit_entries_time", "audit_entries", ["tenant_id", "occurred_at", "seq"], schema="app")
    op.system_access("audit_heads", "app_audit", "select", ("select",))
    op.system_access("audit_heads", "app_audit", "update", ("update",))
    op.system_access("audit_heads", "app_audit", "insert", ("insert",))
    op.system_access("audit_entries", "app_audit", "insert", ("insert",))
    op.system_access("tenant_event_heads", "app_audit", "insert", ("insert",))


def _audit_functions() -> None:
    op.execute("grant create on schema app to app_audit")
    op.execute("set local role app_audit")
    # `plan_cache_mode`: the login roles' custom plans would plan each statement again.
    op.execute("""
        create function app.audit_write(t int, who text, p_action text, p_target text, p_detail text) returns bigint
        language plpgsql volatile security invoker
        set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan as $$
        declare n bigint; at timestamptz; prv bytea; c text; d bytea; h bytea;
        begin
          -- Without this check a spliced text could forge the other fields.
          if t is null or who is null or p_action is null or p_target is null
             or (p_detail is json object with unique keys) is not true then
            raise exception 'audit: context, action, target and a JSON object are required' using errcode = '22023';
          end if;
          select seq + 1, greatest(clock_timestamp(), occurred_at), hash into strict n, at, prv
            from app.audit_heads where tenant_id = t for no key update;
          c := '{"accion":' || to_json(p_action) || ',"actor":' || to_json(who) || ',"at":"'
            || to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') || '","detalle":' || p_detail
            || ',"objetivo":' || to_json(p_target) || ',"seq":' || n || ',"tenant":' || t || '}';
          d := sha256(convert_to(c, 'UTF8'));
          h := sha256(prv || d);
          insert into app.audit_entries (tenant_id, seq, occurred_at, actor, action, target, canon, prev, digest, hash)
            values (t, n, at, who, p_action, p_target, c, prv, d, h);
          update app.audit_heads set seq = n, occurred_at = at, hash = h where tenant_id = t;
          return n;
        end $$""")
    op.execute("""
        create function app.audit_append(p_action text, p_target text, p_detail text) returns bigint
        language sql volatile security definer set search_path = pg_catalog, pg_temp
        return app.audit_write(app.tenant(), app.actor(), p_action, p_target, p_detail)""")
    op.execute("""
        create function app.audit_append_dir(p_tenant int, p_action text, p_target text, p_detail text) returns bigint
        language sql volatile security definer set search_path = pg_catalog, pg_temp
        return app.audit_write(p_tenant, app.actor(), p_action, p_target, p_detail)""")
    op.execute("""
        create function app.audit_chain_heads() returns table (tenant_id int, seq bigint, occurred_at timestamptz, hash bytea)
        language sql stable security definer set search_path = pg_catalog, pg_temp
        begin atomic select h.tenant_id, h.seq, h.occurred_at, h.hash from app.audit_heads h order by h.tenant_id; end""")
    op.execute("""
        create function app.open_chains() returns trigger
        language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
        begin
          insert into app.tenant_event_heads (tenant_id) values (new.id);
          insert into app.audit_heads (tenant_id, seq, occurred_at, hash)
            values (new.id, 0, clock_timestamp(), sha256(convert_to('pipc:' || new.uuid, 'UTF8')));
          return null;
        end $$""")
    for name, roles in (
        ("audit_write(int, text, text, text, text)", None),
        ("audit_append(text, text, text)", "app_tenant"),
        ("audit_append_dir(int, text, text, text)", "app_dir"),
        ("audit_chain_heads()", "app_worker"),
        ("open_chains()", "app_owner"),
    ):
        op.execute(f"revoke execute on function app.{name} from public")
        if roles:
            op.execute(f"grant execute on function app.{name} to {roles}")
    op.execute("set local role app_owner")
    op.execute("revoke create on schema app from app_audit")
    op.execute("create trigger open_chains after insert on app.tenants for each row execute function app.open_chains()")


def _sessions() -> None:
    """Signed-in browsers. Class platform: reached only by the session store and, in part, by the push process."""
    op.create_table(
        "web_sessions",
        sa.Column("key", sa.LargeBinary, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("tenant_id", sa.Integer, sa.ForeignKey("app.tenants.id")),
        *(sa.Column(name, sa.Text) for name in ("sub", "kc_sid", "username", "display_name", "acr")),
        sa.Column("person_id", sa.Uuid),
        sa.Column("roles", JSONB, nullable=False, server_default=sa.text("'[]'")),
        *(_at(name, nullable=True) for name in ("auth_time", "elevated_until", "idle_at")),
        _at("expires_at"),
        sa.Column("csrf", sa.Text, nullable=False),
        sa.Column("refresh_token", sa.LargeBinary),
        sa.Column("id_token", sa.LargeBinary),
        *(_at(name, nullable=True) for name in ("access_expires_at", "refreshing_until", "refreshed_at")),
        sa.Column("data", JSONB, nullable=False, server_default=sa.text("'{}'")),
        _at("created_at"),
        _at("seen_at"),
        sa.CheckConstraint("kind in ('prelogin', 'municipal', 'provincial')", name="kind"),
        schema="app",
    )
    for name in ("sub", "kc_sid", "expires_at"):
        op.create_index(f"ix_web_sessions_{name}", "web_sessions", [name], schema="app")
    op.execute("grant select, insert, update, delete on app.web_sessions to app_auth")
    op.execute("grant select (key, kind, tenant_id, sub, roles, idle_at, expires_at) on app.web_sessions to app_rt")


def downgrade() -> None:
    op.execute("drop trigger open_chains on app.tenants")
    op.execute("set local role app_audit")
    for name in (
        "audit_append(text, text, text)", "audit_append_dir(int, text, text, text)",
        "audit_write(int, text, text, text, text)", "audit_chain_heads()", "open_chains()",
    ):  # fmt: skip
        op.execute(f"drop function app.{name}")
    op.execute("set local role app_owner")
    for table in (
        "web_sessions", "audit_entries", "audit_heads", "tenant_events", "tenant_event_heads", "schedules", "outbox", "tenants",
    ):  # fmt: skip
        op.drop_table(table, schema="app")
    for name in (
        "ensure_partitions(text, int)", "close_partition(text)", "drop_expired_events(timestamptz)",
        "tenant()", "actor()", "purpose()",
    ):  # fmt: skip
        op.execute(f"drop function app.{name}")
