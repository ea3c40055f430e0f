"""The only way into the plates area: readings, hits, searches and search lists."""

from __future__ import annotations

from app.monitoring.plates.hits import raise_hit, raise_hits, recent_hits
from app.monitoring.plates.hotlist_drafts import DraftView, apply_draft, get_draft, upload_draft
from app.monitoring.plates.hotlists import (
    HotlistData,
    HotlistView,
    create_hotlist,
    get_hotlist,
    import_csv,
    list_entries,
    list_hotlists,
    preview_csv,
    put_entries,
    update_hotlist,
)
from app.monitoring.plates.near import match_near
from app.monitoring.plates.reads import accept_provisional, accept_reads
from app.monitoring.plates.search import count_grams
from app.monitoring.plates.searches import (
    SearchPage,
    continue_search,
    earlier_sightings,
    export,
    make_query,
    open_search,
    results,
)
from app.monitoring.plates.types import Read, ReadBatch, ReadOutcome

__all__ = [
    "DraftView",
    "HotlistData",
    "HotlistView",
    "Read",
    "ReadBatch",
    "ReadOutcome",
    "SearchPage",
    "accept_provisional",
    "accept_reads",
    "apply_draft",
    "continue_search",
    "count_grams",
    "create_hotlist",
    "earlier_sightings",
    "export",
    "get_draft",
    "get_hotlist",
    "import_csv",
    "list_entries",
    "list_hotlists",
    "make_query",
    "match_near",
    "open_search",
    "preview_csv",
    "put_entries",
    "raise_hit",
    "raise_hits",
    "recent_hits",
    "results",
    "update_hotlist",
    "upload_draft",
]
