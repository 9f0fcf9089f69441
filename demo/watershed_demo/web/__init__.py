"""The website: a MongoDB database; its collections stand in ``demo/web/README.md``."""
