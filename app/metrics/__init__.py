"""What Prometheus reads at /metrics. docs/operations.md explains every name."""

from app.metrics.meters import Meters

__all__ = ["Meters"]
