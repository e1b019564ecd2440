"""`reports`: what `verify` found, as files."""

import dagger
from dagger import dag

from slipway.given import Given
from slipway.junit import junit
from slipway.verify import RECENT, verify


async def reports(given: Given) -> dagger.Directory:
    """Verify everything.

    Args:
        given: What the caller gives.

    Returns:
        junit.xml, verify.json and report.txt.
    """
    found = await verify(given.ws, given.config, given.npmrc, recent=RECENT)
    files = dag.directory().with_new_file("junit.xml", junit(found.file))
    files = files.with_new_file("verify.json", found.file.model_dump_json(indent=2) + "\n")
    return files.with_new_file("report.txt", found.text(None) + "\n")
