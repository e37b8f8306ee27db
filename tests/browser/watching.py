"""What a planted script would leave behind: that it ran, a dialog, a window, a request, an attempt that the policy stopped."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Browser, Dialog

from tests.browser.harness import Visit

HOOK = """(() => {
  Object.defineProperty(window, "__ran", { get: () => 0, set: (n) => window.__told("ran", String(n)) });
  document.addEventListener("securitypolicyviolation", (e) =>
    window.__told("stopped", e.effectiveDirective + " " + e.blockedURI + " " + e.sample + " " + e.sourceFile + " " + e.lineNumber));
})()"""
"""Put into every document and every frame before anything of its own runs."""
MADE = """() => {
  const strange = "iframe, frame, object, embed, base, applet, marquee, math, isindex, keygen, bgsound, video, audio, " +
    "foreignObject, animate, set, noembed, plaintext, xmp, meta[http-equiv], form[action^='javascript' i], custom-x, x";
  const links = new Set(["href", "xlink:href", "src", "srcset", "action", "formaction", "data", "background", "poster", "srcdoc"]);
  const wrong = (a) => /^on/i.test(a.name) || /^(ng|v|x)-|^:/.test(a.name) ||
    (links.has(a.name) && /^(javascript|vbscript|data:text|view-source)/i.test(a.value.replace(/[\\u0000-\\u0020]/g, "")));
  const all = [...document.querySelectorAll("*")];
  return [...document.querySelectorAll(strange), ...all.filter((e) => [...e.attributes].some(wrong)),
    ...all.filter((e) => e.tagName === "SCRIPT" && /__ran/.test(e.textContent) && e.id !== "first")].map((e) => e.outerHTML.slice(0, 160));
}"""
"""Elements and attributes that no page of ours makes; a payload that became one was not written as text."""
SAID = """() => document.documentElement.textContent + " " + [...document.querySelectorAll("*")].flatMap((e) =>
  [e.value, ...[...e.attributes].map((a) => a.value)]).filter((v) => typeof v === "string").join(" ")"""
"""All that stands in the page as text, attribute or typed value."""


@dataclass(kw_only=True)
class Watch:
    """One context under watch: `ran` the numbers of payloads that ran, `stopped` what a content policy refused."""

    ran: list[str] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)
    windows: list[str] = field(default_factory=list)
    made: list[str] = field(default_factory=list)
    said: str = ""

    def tell(self, kind: str, what: str) -> None:
        (self.ran if kind == "ran" else self.stopped).append(what)

    def shut(self, dialog: Dialog) -> None:
        self.dialogs.append(dialog.message)
        dialog.dismiss()

    def look(self, visit: Visit) -> None:
        """Take in what stands in the page now."""
        self.made += visit.page.evaluate(MADE)
        self.said += squeezed(visit.page.evaluate(SAID))

    def unsaid(self, texts: Any) -> list[str]:
        """Give which of `texts` stood in no page that was looked at."""
        return [t for t in texts if squeezed(t) not in self.said]

    def quiet(self) -> None:
        """Nothing ran, nothing tried to, nothing was opened, nothing but text came of any payload."""
        assert self.ran == []
        assert self.stopped == []
        assert self.dialogs == []
        assert self.windows == []
        assert self.made == []


def squeezed(text: str) -> str:
    """Give a text without white space and control letters: HTML may lay them out as it likes."""
    return "".join(c for c in text if c > " " and c not in "\u2028\u2029\ufeff")


def watched(browser: Browser, **options: Any) -> tuple[Visit, Watch]:
    """Open an empty page in a context under watch; `options` are Playwright's context options."""
    options = {"viewport": {"width": 1366, "height": 768}, "locale": "zh-CN", "timezone_id": "Asia/Shanghai", **options}
    context, watch = browser.new_context(**options), Watch()
    context.expose_binding("__told", lambda source, kind, what: watch.tell(kind, what))
    context.add_init_script(HOOK)
    visit = Visit(page=context.new_page(), context=context)
    context.on("page", lambda page: watch.windows.append(page.url))
    context.on("dialog", watch.shut)
    visit.listen()
    return visit, watch
