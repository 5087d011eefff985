"""The pages: each module here that has a `PAGE` (see `ioc.page.Page`) is served at the path it declares."""
