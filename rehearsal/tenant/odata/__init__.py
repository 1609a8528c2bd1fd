"""Query options as Graph reads them: `$filter`, `$select`, `$orderby`, pages."""
