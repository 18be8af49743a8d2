"""Walks the operators' console in Debian's Chromium: every page in every look, every button, and all of it by keyboard.

One argument, JSON: {"url", "token", "moderator", "part": "pages"|"buttons"|"keyboard"|"tour", "shop", "shops", "person", "pictures": DIR or null}. What it
wants done meanwhile it says as a line on standard output, and goes on after a line on standard input. It ends with 0 where all was right.
"""

import json
import os
import re
import sys

from playwright.sync_api import expect, sync_playwright

GIVEN = json.loads(sys.argv[1])
PAGES = ["health", "projections", "events", "jobs", "map", "shops", "people", "reports", "tokens", "audit", "nodes"]
MODERATES = ["shops", "people", "reports"]
WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
LOOKS = [("wide-light", WIDE, "light", "en-GB"), ("wide-dark", WIDE, "dark", "zh-CN"),
         ("narrow-light", NARROW, "light", "zh-CN"), ("narrow-dark", NARROW, "dark", "en-GB")]
PATIENCE_MS = 30_000
# A rebuild gives way to whatever else the machine does.
expect.set_options(timeout=PATIENCE_MS)


def want(what):
    """Has the test do something, and waits until it is done."""
    print(what, flush=True)
    if not sys.stdin.readline():
        raise SystemExit(f"nobody did: {what}")


class Console:
    """A tab with the console, and what went wrong in it."""

    def __init__(self, browser, size, scheme, locale):
        self.context = browser.new_context(viewport=size, color_scheme=scheme, locale=locale, reduced_motion="reduce")
        self.page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE_MS)
        self.wrong, self.foreign = [], []
        self.page.on("console", lambda message: message.type in ("error", "warning") and self.wrong.append(message.text))
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        own = GIVEN["url"] + "/"
        self.page.on("request", lambda asked: asked.url.startswith((own, "blob:" + own)) or self.foreign.append(asked.url))

    def sign_in(self, token):
        self.page.goto(GIVEN["url"] + "/console")
        self.page.fill("input[name=token]", token)
        self.page.click("[data-act=sign_in]")
        self.page.wait_for_selector("nav a", state="attached")

    def open(self, name, *parts):
        """Opens a page by its address, and waits until it shows what it has."""
        self.page.evaluate("(hash) => { location.hash = hash }", "/".join(["#", name, *map(str, parts)]))
        self.page.wait_for_selector(f"[data-page={name}][data-ready]", state="attached")

    def act(self, name, within="main"):
        return self.page.locator(f"{within} [data-act={name}]:visible")

    def answer(self, **fields):
        """Fills the dialog that is open, and says yes to it."""
        dialog = self.page.locator("dialog[open]")
        expect(dialog).to_be_visible()
        for name, value in fields.items():
            field = dialog.locator(f"[name={name}]").first
            if field.evaluate("(e) => e.tagName") == "SELECT":
                field.select_option(value)
            else:
                field.fill(value)
        dialog.locator("[data-act=done]").click()
        expect(dialog.locator("[data-act=done]")).to_have_count(0)

    def picture(self, name):
        if GIVEN["pictures"]:
            self.page.screenshot(path=os.path.join(GIVEN["pictures"], f"{name}.png"), full_page=True)

    def done(self):
        assert not self.wrong, f"errors in the browser's console: {self.wrong}"
        assert not self.foreign, f"asked elsewhere: {self.foreign}"
        self.context.close()


def looked_at(console, look, name, *parts):
    console.open(name, *parts)
    page = console.page
    expect(page.locator("main h1").first).not_to_be_empty()
    words = page.locator("main").inner_text()
    assert "undefined" not in words and "NaN" not in words and "[object" not in words, f"{look} {name}: {words}"
    over = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert over <= 0, f"{look} {name}: {over} px wider than the window"
    broken = page.evaluate("[...document.images].filter((one) => one.src && one.complete && !one.naturalWidth).length")
    assert not broken, f"{look} {name}: {broken} pictures are broken"
    console.picture(f"{name}-{look}")


def pages(browser):
    for look, size, scheme, locale in LOOKS:
        console = Console(browser, size, scheme, locale)
        console.sign_in(GIVEN["token"])
        assert console.page.locator("nav a").count() == len(PAGES)
        expect(console.page.locator("html")).to_have_attribute("lang", locale[:2])
        for name in PAGES:
            looked_at(console, look, name)
        looked_at(console, look, "shop", GIVEN["shop"])
        looked_at(console, look, "person", GIVEN["person"])
        ground = console.page.evaluate("getComputedStyle(document.body).backgroundColor")
        dark = sum(map(int, re.findall(r"\d+", ground)[:3])) < 200
        assert dark == (scheme == "dark"), f"{look}: the ground is {ground}"
        console.done()
    moderator(browser)


def moderator(browser):
    """A token opens its own pages alone; a wrong one none."""
    console = Console(browser, WIDE, "light", "en-GB")
    console.sign_in(GIVEN["moderator"])
    links = [link.get_attribute("href") for link in console.page.locator("nav a").all()]
    assert links == [f"#/{name}" for name in MODERATES], links
    for name in MODERATES:
        console.open(name)
    for what in ("add_shop", "add_person"):
        assert console.act(what).count() == 0, what
    console.open("person", GIVEN["person"])
    assert console.act("reset_password").count() == 0
    console.page.evaluate("location.hash = '#/tokens'")
    console.page.wait_for_selector("[data-page=shops]")
    console.page.click("[data-act=sign_out]")
    console.page.wait_for_selector("input[name=token]")
    kept = console.page.evaluate("[sessionStorage.getItem('dface-token'), localStorage.length, document.cookie]")
    assert kept == [None, 0, ""], kept
    console.done()
    console = Console(browser, WIDE, "light", "en-GB")
    console.page.goto(GIVEN["url"] + "/console")
    console.page.fill("input[name=token]", "wrong")
    console.page.click("[data-act=sign_in]")
    expect(console.page.locator("#told p.bad")).to_be_visible()
    # The browser itself tells of the refused call.
    console.wrong = [text for text in console.wrong if "401" not in text]
    console.done()


def on_projections(console):
    console.open("projections")
    console.act("rebuild", "tr:has-text('shops')").first.click()
    expect(console.page.locator("#told")).to_contain_text("shops")
    live = console.page.locator("tr:has(td:text-is('shops')) .mark.good")
    expect(live).to_be_visible()
    console.act("compare", "tr:has(td:text-is('shops'))").click()
    expect(console.page.locator("dialog[open] .mark.good")).to_be_visible()
    console.page.click("dialog[open] [data-act=close]")
    console.act("rebuild_all").click()
    console.answer()
    expect(console.page.locator("tbody .mark.busy")).to_have_count(0)


def on_events(console):
    console.open("events")
    tail = console.page.locator(".tail details")
    expect(tail.first).to_be_visible()
    console.page.select_option("[name=type]", "ShopAdded")
    console.page.fill("[name=from]", "1")
    console.act("follow").click()
    expect(console.page.locator(".tail details:not([data-type=ShopAdded])")).to_have_count(0)
    expect(tail.first).to_be_visible()
    expect(tail).to_have_count(GIVEN["shops"])
    want("add_shop")
    expect(tail).to_have_count(GIVEN["shops"] + 1)
    tail.first.locator("summary").click()
    expect(tail.first.locator("pre")).to_contain_text("ShopAdded")
    console.act("stop").click()
    expect(console.page.locator("[data-state]")).to_have_text("Stopped")
    console.act("clear").click()
    expect(tail).to_have_count(0)
    console.page.select_option("[name=profile]", "full")
    console.act("follow").click()
    expect(tail.first.locator("summary")).to_be_visible()


def on_jobs(console):
    console.open("jobs")
    picture = console.page.locator("[data-act=resume][data-kind=picture]")
    expect(picture).to_be_visible()
    jobs = console.page.locator("main tbody tr")
    expect(jobs).to_have_count(2)
    console.page.select_option("[name=kind]", "coupon")
    expect(jobs).to_have_count(0)
    console.page.select_option("[name=kind]", "picture")
    console.page.select_option("[name=state]", "waiting")
    expect(jobs).to_have_count(2)
    jobs.first.locator("[data-act=retry]").click()
    jobs.first.locator("[data-act=drop]").click()
    console.answer()
    expect(jobs).to_have_count(1)
    picture.click()
    expect(jobs).to_have_count(0)
    console.page.locator("[data-act=pause][data-kind=push]").click()
    console.page.locator("[data-act=resume][data-kind=push]").click()
    expect(console.page.locator("[data-act=pause][data-kind=push]")).to_be_visible()
    expect(console.act("newer")).to_be_disabled()
    expect(console.act("older")).to_be_disabled()


def on_map(console):
    console.open("map")
    console.act("zoom_in").click()
    console.act("zoom_out").click()
    console.act("refresh").click()
    canvas = console.page.locator("canvas.map")
    want("check_in")
    expect(console.page.locator("[data-last] a")).to_be_visible()
    inked = "(c) => [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data].some((v, i) => i % 4 === 3 && v)"
    assert canvas.evaluate(inked), "nothing is on the map"
    console.picture("map-check-in")
    expect(console.page.locator("main tbody tr").first).to_be_visible()
    box = canvas.bounding_box()
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    console.page.mouse.move(*middle)
    console.page.mouse.wheel(0, -100)
    console.page.mouse.down()
    console.page.mouse.move(middle[0] + 30, middle[1] + 30, steps=3)
    console.page.mouse.up()
    console.page.click("[data-last] a")
    console.page.wait_for_selector("[data-page=shop][data-ready]", state="attached")


def on_shops(console):
    page = console.page
    console.open("shops")
    console.act("add_shop").click()
    console.answer(name="新店", address="南山路 1 号", phone="0571-1", lat="30.24", lng="120.15", t="2")
    page.wait_for_selector("[data-page=shop][data-ready]", state="attached")
    expect(page.locator("main h1").first).to_have_text("新店")
    console.act("correct").click()
    console.answer(name="老店")
    expect(page.locator("main h1").first).to_have_text("老店")
    console.act("change_notice").click()
    console.answer(text="今晚有音乐 <b>不是标记</b>")
    expect(page.locator("main")).to_contain_text("<b>不是标记</b>")
    console.act("add_staff").click()
    console.answer(user_id=str(GIVEN["person"]))
    console.act("remove_staff").click()
    console.answer()
    expect(console.act("remove_staff")).to_have_count(0)
    console.act("chat_account").click()
    expect(page.locator("dialog[open] .secret")).to_have_text(re.compile("^[0-9a-f]{16}$"))
    page.click("dialog[open] [data-act=close]")
    console.act("add_campaign").click()
    console.answer(name="第二杯半价", text="任意咖啡", trigger="manual", quota="5")
    console.act("send_coupon").click()
    console.answer(users=str(GIVEN["person"]))
    expect(page.locator("dialog[open] .mark.good")).to_be_visible()
    page.click("dialog[open] [data-act=close]")
    console.open("shops")
    page.fill("input[name=name]", "老店")
    console.act("search").click()
    expect(page.locator("main tbody tr")).to_have_count(1)


def on_the_room(console):
    console.open("shop", GIVEN["shop"])
    page = console.page
    said = page.locator("[data-message]")
    count = said.count()
    expect(page.locator("main .cards img")).to_be_visible()
    console.picture("shop-room")
    said.first.locator("[data-act=remove]").click()
    page.click("dialog[open] [data-act=cancel]")
    expect(said).to_have_count(count)
    said.first.locator("[data-act=remove]").click()
    console.answer()
    expect(said).to_have_count(count - 1)
    console.act("refresh").click()
    expect(said).to_have_count(count - 1)


def on_people(console):
    page = console.page
    console.open("people")
    console.act("add_person").click()
    console.answer(name="carla", password="s3cret-words", gender="2")
    page.wait_for_selector("[data-page=person][data-ready]", state="attached")
    console.act("reset_password").click()
    console.answer()
    expect(page.locator("dialog[open] .secret")).to_be_visible()
    page.click("dialog[open] [data-act=close]")
    console.open("people")
    page.fill("input[name=name]", "anna")
    console.act("search").click()
    expect(page.locator("main tbody tr")).to_have_count(1)
    page.click("main tbody a")
    page.wait_for_selector("[data-page=person][data-ready]", state="attached")
    console.act("end_sessions").click()
    console.answer()
    expect(console.act("end_sessions")).to_have_count(0)
    console.act("remove_photo").first.click()
    console.answer()
    expect(console.act("remove_photo")).to_have_count(1)
    console.act("suspend").click()
    console.answer()
    expect(page.locator("main .mark.bad")).to_be_visible()
    console.act("resume").click()
    console.answer()
    expect(page.locator("main .mark.good")).to_be_visible()


def on_reports(console):
    console.open("reports")
    expect(console.act("close_report")).to_have_count(1)
    console.act("close_report").click()
    console.answer()
    expect(console.act("close_report")).to_have_count(0)


def on_tokens(console):
    page = console.page
    console.open("tokens")
    console.act("add_token").click()
    page.check("dialog[open] input[value=metrics]")
    page.check("dialog[open] input[value=events]")
    console.answer(name="grafana")
    secret = page.locator("dialog[open] .secret")
    expect(secret).to_have_text(re.compile("^dface_[0-9a-f]{48}$"))
    page.click("dialog[open] [data-act=close]")
    console.picture("tokens-made")
    console.act("delete_token", "tr:has-text('grafana')").click()
    console.answer()
    expect(page.locator("tr:has-text('grafana')")).to_have_count(0)


def on_audit(console):
    console.open("audit")
    rows = console.page.locator("main tbody tr")
    expect(rows.first).to_be_visible()
    assert rows.count() == 50, f"{rows.count()} on the first page"
    console.act("more").click()
    expect(console.act("more")).to_have_count(0)
    console.page.fill("[name=action]", "token_delete")
    console.act("search").click()
    expect(rows).to_have_count(1)


def on_nodes(console):
    console.open("nodes")
    expect(console.page.locator("main .mark.good")).to_be_visible()
    console.act("finalize").click()
    console.answer()
    expect(console.page.locator("#told")).to_contain_text("over")


def buttons(browser):
    console = Console(browser, WIDE, "light", "en-GB")
    console.sign_in(GIVEN["token"])
    for part in (on_projections, on_events, on_jobs, on_map, on_shops, on_the_room, on_people, on_reports, on_tokens,
                 on_nodes):
        part(console)
    console.page.click("header [data-act=language]")
    expect(console.page.locator("html")).to_have_attribute("lang", "zh")
    console.page.click("header [data-act=language]")
    want("act_often")
    on_audit(console)
    console.page.click("[data-act=sign_out]")
    console.page.wait_for_selector("input[name=token]")
    console.done()


def tour(browser):
    """The way of docs/operators.md, "A first round": its pictures."""
    console = Console(browser, {"width": 1100, "height": 720}, "light", "en-GB")
    console.sign_in(GIVEN["token"])
    page = console.page

    def shot(name):
        if GIVEN["pictures"]:
            page.screenshot(path=os.path.join(GIVEN["pictures"], f"{name}.png"))

    console.open("shops")
    page.fill("input[name=name]", GIVEN["name"])
    console.act("search").click()
    page.click(f"main tbody a:has-text('{GIVEN['name']}')")
    page.wait_for_selector("[data-page=shop][data-ready]", state="attached")
    console.act("add_campaign").click()
    page.fill("dialog[open] [name=name]", "新店酬宾")
    page.fill("dialog[open] [name=text]", "任意图书九折")
    page.fill("dialog[open] [name=quota]", "100")
    page.select_option("dialog[open] [name=trigger]", "manual")
    shot("campaign")
    console.answer()
    want("drawn")
    console.open("shops")
    console.open("map")
    want("check_in")
    expect(page.locator("[data-last] a")).to_have_text(GIVEN["name"])
    shot("map")
    page.click("[data-last] a")
    page.wait_for_selector("[data-page=shop][data-ready]", state="attached")
    expect(page.locator("main .cards img")).to_be_visible()
    page.wait_for_function("[...document.querySelectorAll('.cards img')].every((one) => one.naturalWidth)")
    console.act("send_coupon").click()
    console.answer(users=str(GIVEN["person"]))
    expect(page.locator("dialog[open] .mark.good")).to_be_visible()
    shot("coupon")
    page.click("dialog[open] [data-act=close]")
    console.open("projections")
    console.act("rebuild", "tr:has(td:text-is('shops'))").click()
    expect(page.locator("#told")).to_contain_text("shops")
    shot("rebuild")
    expect(page.locator("tr:has(td:text-is('shops')) .mark.good")).to_be_visible()
    console.open("health")
    # The charts have something to show.
    expect(page.locator("main .card").first).not_to_contain_text("–")
    shot("health")
    console.done()


def keyboard(browser):
    for size in (WIDE, NARROW):
        console = Console(browser, size, "light", "en-GB")
        page = console.page
        page.goto(GIVEN["url"] + "/console")
        page.wait_for_selector("input[name=token]:focus")
        page.keyboard.type(GIVEN["token"])
        page.keyboard.press("Enter")
        page.wait_for_selector("[data-page=health][data-ready]", state="attached")
        by_keys(console, size)
        # What is in the pages is the same, however wide the window is.
        inner = [("shop", GIVEN["shop"]), ("person", GIVEN["person"])]
        for name, *parts in ([(name,) for name in PAGES] + inner if size is WIDE else []):
            console.open(name, *parts)
            reached(console, name)
        console.done()


def by_keys(console, size):
    """The way through the frame: the link over it, the menu, a page, a dialog that is left by Escape."""
    page = console.page
    # Where the Tab key begins when the page is opened.
    page.locator(".skip").focus()
    assert page.locator(".skip").bounding_box()["x"] >= 0, "the link over the frame is not seen when the keyboard is on it"
    if size is NARROW:
        page.keyboard.press("Tab")
        expect(page.locator("#menu")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.locator("#menu")).to_have_attribute("aria-expanded", "true")
    while not page.evaluate("document.activeElement.hash === '#/tokens'"):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement !== document.body"), "the link to the tokens is not reached"
    page.keyboard.press("Enter")
    page.wait_for_selector("[data-page=tokens][data-ready]", state="attached")
    while not page.evaluate("document.activeElement.dataset.act === 'add_token'"):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("dialog[open]")).to_be_visible()
    assert page.evaluate("document.querySelector('dialog').contains(document.activeElement)"), "the dialog has not the keyboard"
    page.keyboard.press("Escape")
    expect(page.locator("dialog")).to_have_count(0)


def reached(console, name):
    """Everything that can be used is come to by the Tab key, in what is seen, and shows that it is."""
    page = console.page
    usable = "main :is(a[href], button:not(:disabled), input, select, textarea, summary, canvas[tabindex])"
    page.evaluate("""(usable) => {
        document.getElementById('main').focus();
        globalThis.missing = () => [...document.querySelectorAll(usable)].filter((e) => e.checkVisibility() && !('reached' in e.dataset))
            .map((e) => e.outerHTML.slice(0, 120));
        addEventListener('focusin', (event) => {
            if (getComputedStyle(event.target).outlineStyle !== 'none') event.target.dataset.reached = '';
        });
    }""", usable)
    for _ in range(400):
        missing = page.evaluate("missing()")
        if not missing:
            return
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement === document.body"):
            page.evaluate("document.getElementById('main').focus()")
    raise AssertionError(f"{name}: the keyboard does not reach {missing}")


def main():
    with sync_playwright() as playwright:
        # Debian's browser; as root it has no sandbox.
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"])
        {"pages": pages, "buttons": buttons, "keyboard": keyboard, "tour": tour}[GIVEN["part"]](browser)
        browser.close()


main()
