"""What the site in `settings` has in its database, for a test that looks at it from outside.

``python -m tests.services.database prepare URL KEY…`` makes an account for each key; ``compare`` reads
{alias: payloads} from standard input and fails unless each account mirrors its payloads.
"""

import json
import sys

import django


def main() -> None:
    django.setup()
    from cal_bookings.models import Account
    from tests.comparison import assert_mirrors

    match sys.argv[1:]:
        case ["prepare", url, *keys]:
            for number, key in enumerate(keys):
                Account.objects.create(
                    alias=f"a{number}", base_url=url, credentials={"API_KEY": key}
                )
        case ["compare"]:
            for alias, payloads in json.load(sys.stdin).items():
                assert_mirrors(Account.objects.get(alias=alias), payloads)
        case _:
            raise SystemExit(__doc__)


if __name__ == "__main__":
    main()
