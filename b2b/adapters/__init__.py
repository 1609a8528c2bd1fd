"""Adapters between the app and outside services: Graph, storage, identity and telemetry."""
