"""Every page of what comes from laboratories; the views are in modules of their own."""

from clinic_tracker.web.inbound import (
    code_views,
    message_views,
    order_views,
    source_views,
    table_views,
    unmatched_views,
    upload_views,
)
from clinic_tracker.web.inbound.blueprint import blueprint

__all__ = [
    "blueprint",
    "code_views",
    "message_views",
    "order_views",
    "source_views",
    "table_views",
    "unmatched_views",
    "upload_views",
]
