"""The web process of a site, to which webhooks are delivered: ``python -m tests.services.web PORT``."""

import sys
import time
from contextlib import suppress

import requests

from tests.services.site import Site


class Web:
    """One web process on a port that stays the same when it is killed and started again."""

    def __init__(self, site: Site, port: int) -> None:
        self.site = site
        self.url = f"http://127.0.0.1:{port}"
        self._command = ["-m", "tests.services.web", str(port)]
        self.start()

    def start(self) -> None:
        self.process = self.site.start(*self._command)

    def wait_until_it_answers(self) -> None:
        ends = time.monotonic() + 30
        while time.monotonic() < ends:
            with suppress(requests.ConnectionError):
                requests.head(f"{self.url}/cal/webhooks/nobody/", timeout=5)
                return
            time.sleep(0.1)
        raise AssertionError(self.site.log.read_text()[-3000:])

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


def main() -> None:
    import django

    django.setup()
    from example_project.serving import Site as WebSite

    site = WebSite(int(sys.argv[1]))
    site.start()
    site.thread.join()


if __name__ == "__main__":
    main()
