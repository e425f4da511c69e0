"""The HTTPS door: publications by POST, answered only after the commit; app.py is its map."""
