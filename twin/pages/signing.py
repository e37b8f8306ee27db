"""The page that asks who it is, with the demo's role switcher, and one's own account: drawn on the server."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from twin.api.data_views import DataView, DiffView, ReportsView
from twin.api.newcomer_view import NewView
from twin.api.refused_view import RefusedView
from twin.api.uploads_view import UploadsView
from twin.api.views import (
    AccountView,
    Common,
    GrantsView,
    PeopleView,
    PersonsView,
    RecordView,
    SignInView,
)
from twin.model import Text
from twin.pages import qr
from twin.pages.data import data
from twin.pages.data_versions import diff
from twin.pages.entries import entries
from twin.pages.grants import grants
from twin.pages.markup import el
from twin.pages.newcomer import newcomer
from twin.pages.office import offices, purposes
from twin.pages.people import people
from twin.pages.persons import persons
from twin.pages.plain import area, button, called, field, form, frame, moment, notices, role
from twin.pages.refused import refused
from twin.pages.reports import reports
from twin.pages.uploads import uploads
from twin.text import words

if TYPE_CHECKING:
    from twin.accounts import Account, Session
    from twin.pages.markup import Node

BROWSERS = (
    ("Edg/", "Edge"),
    ("MicroMessenger", "微信 WeChat"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)


ENDED = frozenset({"out", "over", "typed"})


def draw(view: Common) -> str:
    """Write the page of a view."""
    for kind, written in PAGES:
        if isinstance(view, kind):
            return written(view)
    assert isinstance(view, SignInView)  # noqa: S101 - there is no other
    return sign_in(view)


def sign_in(view: SignInView) -> str:
    """Write the page that asks who it is."""
    ended = words(f"page.sign.ended_{view.ended}") if view.ended in ENDED else None
    parts = [
        *notices(view, ended),
        _here(view) if view.account else None,
        _switcher(view) if view.roles else None,
        el("section", _asks(view), class_="asks") if not view.roles else None,
    ]
    title = words("page.sign.demo_title") if view.roles else words("page.sign.title")
    return frame(view, title, parts, wide=bool(view.roles))


def _here(view: Common) -> Node:
    """Say who is signed in, and offer the way out."""
    account = view.account
    assert account is not None  # noqa: S101 - asked by the callers
    said = words("page.sign.here", name=called(account), role=role(account.role))
    return el(
        "div",
        el("p", said),
        _elsewhere(view),
        form(view, "/signout", button(words("page.sign.leave"), kind="quiet")),
        class_="here",
    )


def _elsewhere(view: Common) -> Node:
    """Lead from the page of sign-in to one's account, and in the demo from there to the other roles."""
    if isinstance(view, SignInView):
        return el("a", words("page.sign.account"), href=f"/account?lang={view.language}", class_="link")
    if view.demo:
        return el("a", words("page.sign.demo_title"), href=f"/signin?lang={view.language}", class_="link")
    return None


def _asks(view: SignInView) -> list[Node]:
    provider = el("a", words("page.sign.provider"), href="/signin/provider", class_="button") if view.provider else None
    return [
        el("p", words("page.sign.lead"), class_="lead"),
        provider,
        el("p", words("page.sign.or"), class_="or") if provider else None,
        form(view, "/signin", *_proofs(view), button(words("page.sign.enter")), next=view.next),
        el("p", words("page.sign.help"), class_="muted"),
    ]


def _proofs(view: SignInView) -> list[Node]:
    """Ask for the name, the password and the code; the first that is still to be typed has the cursor."""
    name: dict[str, Any] = {"maxlength": 120, "required": True, "autofocus": not view.name}
    name |= {"autocapitalize": "none", "spellcheck": "false"}
    password: dict[str, Any] = {"autocomplete": "current-password", "required": True, "autofocus": bool(view.name)}
    code = {"autocomplete": "one-time-code", "inputmode": "numeric", "maxlength": 8, "class_": "code"}
    return [
        field(words("page.sign.name"), "name", value=view.name or None, autocomplete="username", **name),
        field(words("page.sign.password"), "password", type="password", **password),
        field(words("page.sign.code"), "code", why=words("page.sign.code_why"), **code),
    ]


def _switcher(view: SignInView) -> Node:
    """Offer the demo's roles, one form each; it says that it is a demo before it says anything else."""
    now = view.account.id if view.account else ""
    return el(
        "section",
        el("p", el("b", words("page.sign.demo"), class_="tag"), words("page.sign.demo_why"), class_="demo-why"),
        el("ul", [el("li", _choice(view, a, now)) for a in view.roles], class_="roles"),
        class_="switcher",
        aria_label=words("page.sign.demo_title"),
    )


def _choice(view: SignInView, one: Account, now: str) -> Node:
    is_now = one.id == now
    inside = el(
        "button",
        el("span", role(one.role), class_="role"),
        el("span", called(one), class_="who"),
        el("span", words(f"page.sign.sees.{one.role}"), class_="sees"),
        el("span", words("page.sign.demo_now"), class_="now") if is_now else el("span", area(view, one), class_="area"),
        type="submit",
        class_="choice",
        aria_pressed="true" if is_now else None,
    )
    return form(view, "/signin/demo", inside, role=one.role, next=view.next)


def account(view: AccountView) -> str:
    """Write one's own account."""
    one = view.account
    assert one is not None  # noqa: S101 - the route has looked
    done = words(f"page.sign.done_{view.done}") if view.done in DONE else None
    owes = words(f"page.sign.owes_{view.owes}") if view.owes else None
    must = el("p", owes, role="status", class_="must") if owes else None
    who = el(
        "dl",
        el("div", el("dt", words("page.sign.name")), el("dd", one.name)),
        el("div", el("dt", words("page.sign.where")), el("dd", area(view, one))) if one.prefix or one.grid else None,
        class_="facts",
    )
    password, factor = _password(view), _factor(view)
    own = [password, factor] if view.owes != "second_factor" else [factor, password]
    if not one.password_hash and not one.federated:
        own = [el("p", words("page.sign.demo_account"), class_="muted")]
    manages = one.role == "security_admin" and not view.owes
    people_link = el("a", words("page.sign.people"), href=f"/accounts?lang={view.language}", class_="link")
    parts = [*notices(view, done), must, _here(view), who, people_link if manages else None, offices(view)]
    return frame(
        view, words("page.sign.account"), [*parts, own if view.owes else [purposes(view), _sessions(view), own]]
    )


DONE = frozenset({"password", "second_factor", "session", "purpose", "purpose_end"})


def _sessions(view: AccountView) -> Node:
    others = len(view.sessions) > 1
    return el(
        "section",
        el("h2", words("page.sign.sessions")),
        el("ul", [_session(view, s) for s in view.sessions], class_="sessions"),
        form(view, "/account/sessions/end", button(words("page.sign.session_others"), kind="quiet"), session="others")
        if others
        else None,
        el("p", words("page.sign.session_rule"), class_="muted"),
    )


def _session(view: AccountView, session: Session) -> Node:
    agent = device(session.agent)
    since = words("page.sign.session_since", at=moment(session.created_at, view.zone), address=session.address or "–")
    seen = words("page.sign.session_seen", at=moment(session.seen_at, view.zone))
    end = form(
        view,
        "/account/sessions/end",
        button(
            words("page.sign.session_end"), kind="quiet", aria_label=words("page.sign.session_end_one", agent=agent)
        ),
        session=session.id_hash,
    )
    is_here = session.id_hash == view.here
    return el(
        "li",
        el("div", el("b", agent), el("span", since, class_="muted"), el("span", seen, class_="muted")),
        el("span", words("page.sign.session_here"), class_="now") if is_here else end,
    )


def device(agent: str) -> Text:
    """Say which browser on which system a User-Agent names, as far as it does."""
    browser = next((name for sign, name in BROWSERS if sign in agent), "")
    system = next((name for sign, name in SYSTEMS if re.search(sign, agent)), "")
    if browser and system:
        return words("page.sign.agent", browser=browser, system=system)
    only = browser or system
    return Text(only, only) if only else words("page.sign.agent_unknown")


def _password(view: AccountView) -> Node:
    one = view.account
    if one is None or not one.password_hash:
        return None
    new = {"type": "password", "autocomplete": "new-password", "required": True, "minlength": 12, "maxlength": 128}
    return el(
        "section",
        el("h2", words("page.sign.change")),
        form(
            view,
            "/account/password",
            el("input", type="text", name="username", value=one.name, autocomplete="username", hidden=True),
            field(words("page.sign.before"), "before", type="password", autocomplete="current-password", required=True),
            field(words("page.sign.after"), "password", why=words("page.sign.rule"), **new),
            field(words("page.sign.again"), "again", **new),
            button(words("page.sign.change_do")),
        ),
    )


def _factor(view: AccountView) -> Node:
    one = view.account
    if one is None or view.owes == "password" or one.federated:
        return None
    if one.totp_secret:
        return el("section", el("h2", words("page.sign.factor")), el("p", words("page.sign.factor_on")))
    groups = " ".join(view.secret[i : i + 4] for i in range(0, len(view.secret), 4))
    return el(
        "section",
        el("h2", words("page.sign.factor")),
        el("p", words("page.sign.factor_scan")),
        qr.code(view.address, words("page.sign.factor_code")),
        el("p", words("page.sign.factor_step1")),
        el("p", el("code", groups, class_="secret", translate="no")),
        el("p", el("a", words("page.sign.factor_link"), href=view.address, class_="link")),
        form(
            view,
            "/account/second-factor",
            field(
                words("page.sign.factor_step2"),
                "code",
                autocomplete="one-time-code",
                inputmode="numeric",
                maxlength=8,
                required=True,
                class_="code",
            ),
            button(words("page.sign.factor_do")),
            offered=view.offered,
        ),
    )


PAGES: tuple[tuple[type[Common], Callable[[Any], str]], ...] = (
    (RefusedView, refused),
    (PeopleView, people),
    (RecordView, entries),
    (GrantsView, grants),
    (DataView, data),
    (DiffView, diff),
    (ReportsView, reports),
    (NewView, newcomer),
    (PersonsView, persons),
    (UploadsView, uploads),
    (AccountView, account),
)
"""What draws each kind of view."""
