"""The sentences of advice: what happened to a request, its cause, and its cure. `advice.explain` chooses among them."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from cal_bookings.sentences import Sentence


class Advice(Sentence):
    """The sentences on what happened, on its cause, and on its cure."""

    VERBATIM = "advice.verbatim", "%(text)s"
    WHAT = "advice.what", _('Account "%(account)s" at %(base_url)s: %(what)s.')

    NAME = (
        "advice.name",
        _(
            'The name "%(host)s" is unknown here: check BASE_URL for a typing error, and the network and the name servers '
            "(DNS) of this machine."
        ),
    )
    CONNECTION = (
        "advice.connection",
        _(
            "The server cannot be reached: nothing accepts connections at %(netloc)s. Check the host and the port in "
            "BASE_URL, that the server runs, and that no firewall is in between."
        ),
    )
    CERTIFICATE = (
        "advice.certificate",
        _(
            "This machine does not trust the certificate of %(host)s, or it was made for another name. If it is signed by "
            "yourself or your own authority, set the environment variable REQUESTS_CA_BUNDLE to the file of that "
            "certificate. Else check BASE_URL."
        ),
    )
    TLS = (
        "advice.tls",
        _(
            "The server at %(netloc)s does not speak TLS as this machine does: check the port in BASE_URL, and that "
            "https:// is right."
        ),
    )
    PROXY = (
        "advice.proxy",
        _(
            "The proxy of this machine (environment variables HTTP_PROXY and HTTPS_PROXY) does not let the request "
            "through: check its address, user name and password, or name %(host)s in NO_PROXY."
        ),
    )
    TIMEOUT = (
        "advice.timeout",
        _(
            'The server cannot be reached in time (CAL_BOOKINGS["TIMEOUT"]). If this happens often, use longer times.'
        ),
    )
    TIMEOUT_OF_A_PAGE = (
        "advice.timeout_of_a_page",
        _(
            'The server cannot be reached in time (CAL_BOOKINGS["TIMEOUT"]). If this happens often, use longer times or a '
            "smaller PAGE_SIZE."
        ),
    )
    PRIVATE = (
        "advice.private",
        _(
            "%(host)s has an address in a private network. If it is your own Cal.com, name it in "
            'CAL_BOOKINGS["ALLOWED_SERVERS"].'
        ),
    )
    NOT_A_KEY = (
        "advice.not_a_key",
        _(
            "The server does not take %(credential)s for an API key of its own. Its keys begin with a prefix: "
            '"cal_" on Cal.com, API_KEY_PREFIX on a self-hosted server. Check that the key is whole, and that BASE_URL is '
            "the server that issued it."
        ),
    )

    WANTS_HTTPS = (
        "advice.wants_https",
        _(
            "The server at %(host)s wants https: write BASE_URL with https:// instead of http://."
        ),
    )
    REDIRECT = (
        "advice.redirect",
        _(
            "The redirect points to %(location)s: a login page, or another address of the server."
        ),
    )
    REDIRECT_TO_NOWHERE = (
        "advice.redirect_to_nowhere",
        _(
            "The redirect does not say where to: a login page, or another address of the server."
        ),
    )
    NO_REDIRECTS = (
        "advice.no_redirects",
        _(
            "Redirects are not followed, because they would carry the credential along. Set BASE_URL to the address of "
            "the API itself, and let requests of this machine pass any login in front of it."
        ),
    )
    FIREWALL = (
        "advice.firewall",
        _(
            "The response is a page of a firewall, proxy or login in front of Cal.com, and says nothing about the "
            "credential. Let requests of this machine to %(host)s through."
        ),
    )
    WEB_PAGE = (
        "advice.web_page",
        _(
            "A web page answers there, not the API: a login page or the website of the server. Check that BASE_URL is the "
            "address of the API and ends with /v2, such as %(example)s."
        ),
    )

    EXPIRED_IN_SETTINGS = (
        "advice.expired_in_settings",
        _(
            "The access token has expired, and tokens in the settings are not exchanged for new ones: use an API key, or "
            "keep the account in the database with its REFRESH_TOKEN."
        ),
    )
    EXPIRED = (
        "advice.expired",
        _("The access token has expired: store a new one, with its REFRESH_TOKEN."),
    )
    CONNECT_AGAIN = (
        "advice.connect_again",
        _(
            "The account's tokens can no longer be exchanged: its owner has to connect Cal.com again."
        ),
    )
    UNAUTHORIZED = (
        "advice.unauthorized",
        _(
            "Cal.com does not accept %(credential)s. Check that it is whole and has not expired, and that BASE_URL is the "
            "server that issued it: keys of the EU region work at https://api.cal.eu/v2 only, keys of a self-hosted "
            "server at its own URL only."
        ),
    )
    FORBIDDEN = (
        "advice.forbidden",
        _(
            "Cal.com does not let %(credential)s do this: check its permissions and the account's SCOPE."
        ),
    )
    CREDENTIAL_IN_SETTINGS = (
        "advice.credential_in_settings",
        _('the credential in CAL_BOOKINGS["ACCOUNTS"]["%(alias)s"]'),
    )
    CREDENTIAL = "advice.credential", _("the credential stored on the account")

    NO_LIST = (
        "advice.no_list",
        _(
            "There is no such list: check that BASE_URL ends with /v2 and that SCOPE names what exists there."
        ),
    )
    NO_BOOKING = (
        "advice.no_booking",
        _("This booking no longer exists on Cal.com."),
    )
    NOT_FOUND = (
        "advice.not_found",
        _("Cal.com does not have what was asked for. It may have been deleted there."),
    )
    UNSUPPORTED = (
        "advice.unsupported",
        _("This version of Cal.com cannot do this: update it."),
    )
    UNEXPECTED = (
        "advice.unexpected",
        _("Check that BASE_URL is a Cal.com API v2 and ends with /v2."),
    )
    UNAVAILABLE = (
        "advice.unavailable",
        _("The server cannot be reached or fails."),
    )
    TOO_MANY = (
        "advice.too_many",
        _("There were too many requests with this key: wait a minute."),
    )

    USED_UP = "advice.used_up", _("Cal.com's rate limit is used up for now.")
    PAUSED_BY_HAND = (
        "advice.paused_by_hand",
        _(
            'Account "%(account)s": paused until resumed. %(reason)s Resume the account in the admin, or run '
            "`manage.py cal_sync --force`."
        ),
    )
    PAUSED = (
        "advice.paused",
        _(
            'Account "%(account)s": paused until %(until)s UTC. Reason: %(reason)s To resume now, replace the credential '
            "or run `manage.py cal_sync --force`."
        ),
    )

    MIRROR_UNTOUCHED = (
        "advice.mirror_untouched",
        _("The mirror was left as it is."),
    )
    WALK_GOES_ON = (
        "advice.walk_goes_on",
        _("The next run of the walk goes on from its checkpoint."),
    )
    TRY_LATER = "advice.try_later", _("Try again later.")
    TRY_AGAIN_IN = (
        "advice.try_again_in",
        ngettext_lazy(
            "Try again in %(seconds)d second.",
            "Try again in %(seconds)d seconds.",
            "seconds",
        ),
    )
