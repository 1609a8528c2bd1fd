"""Query options as Graph interprets them: `$filter`, `$select`, `$orderby` and pages."""
