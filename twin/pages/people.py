"""The security administrator's page of accounts and keys, drawn on the server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twin.accounts import ROLES
from twin.pages.markup import el
from twin.pages.plain import area, button, called, field, form, frame, moment, notices, role
from twin.text import words

if TYPE_CHECKING:
    from twin.accounts import Account, ApiKey
    from twin.api.views import PeopleView
    from twin.model import Text
    from twin.pages.markup import Node

DONE = frozenset({"added", "disabled", "enabled", "reset", "ended", "key", "revoked"})


def people(view: PeopleView) -> str:
    """Write the page of all accounts and keys."""
    done = words(f"page.people.done_{view.done}") if view.done in DONE else None
    parts = [
        el("p", words("page.people.lead"), class_="muted"),
        *notices(view, done),
        _once(words("page.people.once_password"), view.password),
        _once(words("page.people.once_key"), view.key),
        el(
            "section",
            el("h2", words("page.people.accounts", count=len(view.accounts))),
            el("ul", [_account(view, a) for a in view.accounts], class_="listed"),
            _add_account(view),
        ),
        el(
            "section",
            el("h2", words("page.people.keys", count=len(view.keys))),
            el("ul", [_key(view, k) for k in view.keys], class_="listed")
            if view.keys
            else el("p", words("page.people.no_keys"), class_="muted"),
            _add_key(view),
        ),
    ]
    return frame(view, words("page.sign.people"), parts, wide=True)


def _once(label: Text, secret: str) -> Node:
    """Show what is shown one time only."""
    return (
        el("div", el("p", label), el("code", secret, class_="secret", translate="no"), class_="must")
        if secret
        else None
    )


def _account(view: PeopleView, one: Account) -> Node:
    opened = view.sessions.get(one.id, 0)
    facts = [
        el("span", words("page.people.shut"), class_="tag") if one.disabled_at else None,
        el("span", words("page.people.open", count=opened)) if opened else None,
        el("span", words("page.people.factor_yes" if one.totp_secret else "page.people.factor_no"))
        if one.password_hash
        else None,
        _ground(view, one.id),
    ]
    is_me = view.account is not None and one.id == view.account.id
    return el(
        "li",
        el(
            "div",
            el("b", called(one)),
            el("span", one.name, class_="muted") if one.display_name and not one.federated else None,
            el("span", role(one.role), " · ", area(view, one)),
            el("span", facts, class_="muted facts-line"),
        ),
        el("span", words("page.people.yourself"), class_="now")
        if is_me
        else el("div", _acts(view, one), class_="acts"),
    )


def _ground(view: PeopleView, asker: str) -> Node:
    """Say how much ground somebody has been given in a year, nothing where that is none."""
    used = view.ground.get(asker)
    return el("span", words("page.people.ground", km2=f"{used.km2:g}", since=used.since)) if used else None


def _acts(view: PeopleView, one: Account) -> list[Node]:
    """Offer what may be done to one account."""
    if view.demo and not one.password_hash:
        return []
    acts = [("enable" if one.disabled_at else "disable", not one.disabled_at)]
    acts += [("reset", False)] if one.password_hash else []
    acts += [("end", False)] if view.sessions.get(one.id) else []
    return [_act(view, one, act, grave=grave) for act, grave in acts]


def _act(view: PeopleView, one: Account, act: str, *, grave: bool) -> Node:
    label = words(f"page.people.act_{act}")
    press = button(
        label,
        kind="quiet grave" if grave else "quiet",
        aria_label=words("page.people.of", act=label, name=called(one)),
    )
    return form(view, "/accounts/change", press, id=one.id, act=act)


def _asked(view: PeopleView, name: str, *, why: bool = False, usual: str | None = None, **more: Any) -> Node:
    """Make the field `name` as it was last filled in, `usual` where it was not; `why` says it has a line under it."""
    told = words(f"page.people.{name}_why") if why else None
    return field(words(f"page.people.{name}"), name, why=told, value=view.values.get(name) or usual, **more)


def _lines(view: PeopleView, name: str) -> Node:
    """Make the field `name` for several lines, as it was last filled in."""
    label, told = words(f"page.people.{name}"), words(f"page.people.{name}_why")
    return field(label, name, tag="textarea", why=told, inside=[view.values.get(name) or None], spellcheck="false")


def _add_account(view: PeopleView) -> Node:
    chosen = view.values.get("role") or None
    roles = [el("option", role(r), value=r, selected=chosen == r) for r in ROLES]
    digits = {"inputmode": "numeric", "autocomplete": "off"}
    return el(
        "details",
        el("summary", words("page.people.add")),
        form(
            view,
            "/accounts/add",
            _asked(view, "name", required=True, maxlength=120, autocomplete="off"),
            _asked(view, "display", maxlength=120, autocomplete="off"),
            field(words("page.people.role"), "role", tag="select", inside=roles, required=True),
            _asked(view, "prefix", why=True, maxlength=12, **digits),
            _asked(view, "grid", why=True, maxlength=15, **digits),
            _asked(view, "department", why=True, maxlength=80),
            button(words("page.people.add_do")),
        ),
        open=bool(chosen) or None,
    )


def _key(view: PeopleView, key: ApiKey) -> Node:
    alive = key.alive(view.now)
    used = (
        words("page.people.key_used", at=moment(key.last_used_at, view.zone))
        if key.last_used_at
        else words("page.people.key_unused")
    )
    until = words("page.people.key_until", at=moment(key.expires_at, view.zone))
    press: Any = button(
        words("page.people.revoke"),
        kind="quiet grave",
        aria_label=words("page.people.of", act=words("page.people.revoke"), name=key.client),
    )
    return el(
        "li",
        el(
            "div",
            el("b", key.client),
            el("code", f"vk_{key.id}_…", class_="muted"),
            el("span", "  ".join(key.scopes) or "–"),
            el("span", until if alive else words("page.people.key_over"), " · ", used, class_="muted"),
            el("span", _ground(view, f"key:{key.id}"), class_="muted"),
        ),
        form(view, "/accounts/keys/revoke", press, id=key.id) if alive else None,
    )


def _add_key(view: PeopleView) -> Node:
    where, why = words("page.people.prefix"), words("page.people.prefix_why")
    prefix = view.values.get("prefix") if view.values.get("client") else None
    return el(
        "details",
        el("summary", words("page.people.key_add")),
        form(
            view,
            "/accounts/keys/add",
            _asked(view, "client", required=True, maxlength=120),
            _lines(view, "scopes"),
            _lines(view, "networks"),
            field(where, "key-prefix", send="prefix", why=why, value=prefix, maxlength=12, inputmode="numeric"),
            _asked(view, "days", usual="180", inputmode="numeric", maxlength=3, required=True),
            button(words("page.people.key_do")),
        ),
        open=bool(view.values.get("client")) or None,
    )
