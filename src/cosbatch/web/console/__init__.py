"""The web console: the built pages, and how they are served below ``/ui/``. What they ask for is the JSON API."""
