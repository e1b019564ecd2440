"""`ci/load`: what users notice of a deploy, measured on a real server behind a real proxy."""
