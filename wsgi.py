"""What gunicorn loads: settings → application, behind a counted number of proxies."""

import os

from werkzeug.middleware.proxy_fix import ProxyFix

from app.factory import serve
from app.settings import Settings

settings = Settings.from_env(os.environ)
app = serve(settings)
if hops := settings.proxy_hops:
    app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
