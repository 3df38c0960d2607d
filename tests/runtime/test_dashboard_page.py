"""The live page in a real browser, before real coordinators and workers."""

import json
import re
import signal
from urllib.parse import quote

import pytest
from chromium import needs_browser, overflow
from live_site import KEY, Site, fleet
from processes import PATIENCE_S, Fleet, end, wait_for

from recontool.model.catalogue import CATALOGUE, DOCUMENTED, UNIT_TEXT

pytestmark = needs_browser
playwright = pytest.importorskip("playwright.sync_api", reason="needs the playwright package: pip install playwright")
# A worker's start alone takes seconds on a busy machine; it is waited for as everything else is.
playwright.expect.set_options(timeout=1000 * PATIENCE_S)
HOSTILE = "</td><script>document.title='run'</script><img src=x onerror=\"document.title='run'\">\u202e\x1b["
# What Chromium itself writes when nobody listens; a page cannot keep it from doing so.
REFUSED = re.compile(r"WebSocket connection to 'ws://[^']*/dashboard/live' failed: .*")
# One evaluation, so that a table which an update takes away between two questions is an empty answer.
CELLS = """([table]) => {
  if (!table) return [];
  const heads = [...table.tHead.rows[0].cells].map(cell => cell.textContent.trim());
  return [...table.tBodies[0].rows].map(row => Object.fromEntries([...row.cells].map(
    (cell, i) => [heads[i], cell.dataset.sort ?? cell.textContent.trim()])));
}"""
MATRICES = {"reconnections": "Reconnection Metrics", "messages": "Message Performance", "tasks": "Task Execution"}


class Screen:
    """One tab, with what it wrote and asked for."""

    def __init__(self, browser, url, *, scheme="light", width=1400, height=900):
        context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
        self.page, self.messages, self.requests = context.new_page(), [], []
        self.page.on("console", lambda message: self.messages.append(message.text))
        self.page.on("pageerror", lambda error: self.messages.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(url)

    def sign_in(self, key):
        self.page.fill("#key", key)
        self.page.press("#key", "Enter")

    def live(self):
        """Wait until it is up to date."""
        self.page.wait_for_selector("#live:not([hidden]):not(.old)", timeout=15_000)
        return self

    def text(self, selector):
        return " ".join(self.page.text_content(selector).split())

    def table(self, caption):
        """Rows by heading, with the values that are sorted by."""
        found = self.page.locator("table", has=self.page.locator("caption", has_text=caption))
        return found.evaluate_all(CELLS)

    def updates(self, number):
        """Wait for that many more."""
        for _ in range(number):
            self.page.wait_for_function(
                "before => document.getElementById('state').textContent !== before", arg=self.text("#state")
            )

    def wait(self, what, found):
        """Like `wait_for`, and the page lives on meanwhile."""

        def asked():
            self.page.evaluate("0")
            return found()

        return wait_for(what, asked)


@pytest.fixture
def crew(tmp_path):
    with Fleet(tmp_path / "data") as made:
        yield made


@pytest.fixture
def opened(browser):
    screens = []

    def open_page(url, **more):
        screens.append(Screen(browser, url, **more))
        return screens[-1]

    yield open_page
    for screen in screens:
        screen.page.context.close()


def address(crew):
    return f"http://127.0.0.1:{crew.port}/dashboard"


def test_a_wrong_key_is_refused_and_the_right_one_leaves_no_trace(crew, opened):
    crew.coordinator("--log-level", "DEBUG")
    crew.worker("w-1")
    screen = opened(address(crew))
    for wrong in ("wrong", crew.key("worker")):
        screen.sign_in(wrong)
        playwright.expect(screen.page.locator("#refused")).to_have_text("This is not the operator key.")
        assert not screen.page.locator("#live").is_visible()
        playwright.expect(screen.page.locator("#ask button")).to_be_enabled()
        screen.page.locator("#refused").evaluate("one => { one.textContent = ''; }")
    key = crew.key("operator")
    screen.sign_in(key)
    screen.live()
    assert screen.page.url == address(crew)
    assert screen.page.evaluate("history.length") <= 2  # the blank page and this one
    kept = screen.page.evaluate(
        "JSON.stringify([{...sessionStorage}, {...localStorage}, document.cookie, document.title])"
    )
    assert '"recontool-session":"' in kept
    shown = screen.page.content() + screen.page.input_value("#key")
    log = crew.data.joinpath("logs", "coordinator.log").read_text("utf-8")
    assert [place for place in (kept, shown, log, *screen.requests) if key in place or quote(key) in place] == []
    assert log.count("[SECURITY] auth_failed") == 2
    assert "auth_ok worker=operator" in log
    screen.page.reload()
    screen.live()  # the tab's session goes on
    screen.page.click("#leave")
    screen.page.wait_for_selector("#login:not([hidden])")
    assert screen.page.evaluate("sessionStorage.length") == 0
    assert screen.messages == []
    assert {url.partition("/dashboard")[0] for url in screen.requests} == {f"http://127.0.0.1:{crew.port}"}


def test_views_show_what_the_api_says(crew, opened):
    crew.coordinator("--demo-tasks", "20")
    workers = [crew.worker(f"w-{number}") for number in range(3)]
    screen = opened(address(crew))
    screen.sign_in(crew.key("operator"))
    screen.live()
    screen.wait("all tasks to end", lambda: "20 tasks: 18 done, 2 failed" in screen.text("#tasks"))
    for process in workers:
        process.send_signal(signal.SIGSTOP)  # from here on every number stands still
    crew.saw("coordinator", "CONNECT", "disconnected", 3)
    told = {name: api(crew, f"workers/{name}/metrics")["metrics"] for name in ("w-0", "w-1", "w-2")}
    screen.wait("the last numbers", lambda: numbers(screen) == about(told))
    gone = dict.fromkeys(told, "away")
    screen.wait("all to be away", lambda: {r["Worker"]: r["State"] for r in screen.table("Workers, those")} == gone)
    assert "3 of 3 workers are away." in screen.text("#summary")
    alerts = api(crew, "alerts")
    screen.wait(
        "its alerts",
        lambda: (
            sorted((row["Rule"].replace(" ", "_"), row["Worker"]) for row in screen.table("Firing now"))
            == sorted((alert["alert"], alert["worker"]) for alert in alerts["alerts"] if alert["state"] == "firing")
        ),
    )
    assert screen.page.title().startswith("(")
    assert screen.messages == []


def api(crew, path):
    return crew.http(f"/api/v1/{path}", crew.key("operator"))[1]


def numbers(screen):
    """Every documented metric of every worker, as the three views have it."""
    found = {}
    for view in MATRICES.values():
        for row in screen.table(f"{view}: every worker"):
            for title, value in row.items():
                if title != "Worker" and TITLES[title] in NAMES:
                    found.setdefault(row["Worker"], {})[TITLES[title]] = None if value == "-" else float(value)
    return found


def about(told):
    return {
        worker: {name: None if value is None else pytest.approx(value, rel=1e-8) for name, value in metrics.items()}
        for worker, metrics in told.items()
    }


NAMES = {metric.name for metric in DOCUMENTED}
TITLES = {
    metric.title + (f" ({UNIT_TEXT[metric.unit]})" if UNIT_TEXT[metric.unit] else ""): metric.name
    for metric in reversed(CATALOGUE.values())
}


def test_it_says_since_when_it_is_stale_and_comes_back_by_itself(crew, opened):
    coordinator = crew.coordinator()
    crew.worker("w-1")
    screen = opened(address(crew))
    screen.sign_in(crew.key("operator"))
    screen.live()
    playwright.expect(screen.page.locator("#workers tbody tr")).to_have_count(1)
    heard = """() => {
      window.said = [];
      new MutationObserver(() => window.said.push(document.getElementById("announce").textContent)).observe(
        document.getElementById("announce"), { childList: true });
    }"""
    screen.page.evaluate(heard)
    assert end(coordinator, signal.SIGKILL) == -signal.SIGKILL
    banner = screen.page.locator("#link")
    playwright.expect(banner).to_contain_text(re.compile(r"Stale since \d\d:\d\d:\d\d UTC"))
    since = re.search(r"Stale since (\S+) UTC", banner.inner_text())[1]
    assert since in screen.text("#state")
    assert screen.page.locator("#workers tbody tr").count() == 1  # what was known is still there
    screen.page.wait_for_event("websocket", timeout=15_000)  # it tries again by itself, and again
    crew.coordinator()
    screen.live()
    playwright.expect(banner).to_be_empty()
    assert screen.page.evaluate("window.said[0]").startswith("Up to date again since ")
    assert screen.text("#state").startswith("Live, ")
    assert [message for message in screen.messages if not REFUSED.fullmatch(message)] == []


def test_another_operator_key_asks_to_sign_in_again(crew, opened, tmp_path):
    coordinator = crew.coordinator()
    screen = opened(address(crew))
    screen.sign_in(crew.key("operator"))
    screen.live()
    assert end(coordinator) == 0
    config = tmp_path / "other.yaml"
    config.write_text("keys:\n  operator: another-key\n", "utf-8")
    crew.coordinator("--config", str(config))
    screen.page.wait_for_selector("#login:not([hidden])", timeout=15_000)
    assert screen.text("#refused") == "The operator key has changed. Sign in again."
    assert not screen.page.locator("#live").is_visible()
    screen.sign_in("another-key")
    screen.live()


def test_a_frozen_coordinator_is_noticed_though_it_closes_nothing(crew, opened):
    coordinator = crew.coordinator()
    screen = opened(address(crew))
    screen.sign_in(crew.key("operator"))
    screen.live()
    coordinator.send_signal(signal.SIGSTOP)
    playwright.expect(screen.page.locator("#link")).to_contain_text("Stale since", timeout=15_000)
    coordinator.send_signal(signal.SIGCONT)
    screen.live()


def test_workers_come_and_go_before_ones_eyes(crew, opened):
    crew.coordinator()
    screen = opened(address(crew))
    screen.sign_in(crew.key("operator"))
    screen.live()
    assert screen.text("#summary h1") == "No worker has connected yet."
    status = screen.page.locator("#workers .lead")
    worker = crew.worker("w-1")
    playwright.expect(status).to_contain_text("1 of 1 worker connected. Seen since")
    assert end(worker) == 0
    playwright.expect(status).to_contain_text("0 of 1 worker connected, 1 said goodbye.")
    assert [row["State"] for row in screen.table("Workers, those")] == ["said goodbye"]
    second = crew.worker("w-2")
    playwright.expect(status).to_contain_text("1 of 2 workers connected, 1 said goodbye.")
    assert end(second, signal.SIGKILL) == -signal.SIGKILL
    playwright.expect(status).to_contain_text("0 of 2 workers connected, 1 away, 1 said goodbye.")
    assert screen.text("#summary h1") == "1 of 1 worker is away."
    assert screen.messages == []


# --- a made-up fleet, for what real ones seldom show --------------------------------------------------------


@pytest.fixture
def site(tmp_path):
    with Site(tmp_path, fleet(12, away=2)) as made:
        yield made


def shown(opened, site, **more):
    screen = opened(site.url, **more)
    screen.sign_in(KEY)
    return screen.live()


def test_an_update_leaves_the_reader_where_they_are(site, opened):
    screen = shown(opened, site)
    page = screen.page
    head = page.locator("#workers thead th", has_text="Worker")
    head.locator("button").click()
    head.locator("button").click()
    search = page.get_by_label("Filter: Workers, those to look at first")
    search.fill("worker-1")
    search.focus()
    page.evaluate("scrollTo(0, 700)")
    page.wait_for_function("() => scrollY === 700")
    top = search.bounding_box()["y"]
    page.get_by_text("Show the definitions").evaluate("one => { one.parentElement.open = true; }")
    row = page.locator("#workers tbody tr").first.element_handle()
    site.show(fleet(12, away=1))
    screen.wait("an alert less", lambda: len(screen.table("Firing now")) == 1)
    assert search.bounding_box()["y"] == pytest.approx(top, abs=1)  # though the alerts above have a row less
    site.show(fleet(13, away=1))
    screen.updates(2)
    names = page.locator("#workers tbody tr:visible th").all_inner_texts()
    assert names == ["worker-12", "worker-11", "worker-10", "worker-1"]
    assert head.get_attribute("aria-sort") == "descending"
    assert search.input_value() == "worker-1"
    assert page.evaluate("document.activeElement === document.querySelector('#workers input')")
    assert page.locator("#formulas details[open]").count() == 1
    assert row.evaluate("one => one.isConnected")  # changed in place, not made anew
    assert page.locator("#workers .tools").count() == 1
    assert screen.messages == []


def test_focus_stays_on_a_row_the_reader_has_sorted(site, opened):
    screen = shown(opened, site)
    page = screen.page
    table = page.locator("table", has=page.locator("caption", has_text="Message Performance: the fleet"))
    table.locator("thead button").first.click()
    order = table.locator("tbody th").all_inner_texts()
    assert order == sorted(order)
    table.locator("a", has_text="Messages sent").focus()
    site.show(fleet(14, away=1))  # other numbers in every view
    screen.wait("the new numbers", lambda: len(screen.table("Workers, those")) == 14)
    assert table.locator("tbody th").all_inner_texts() == order
    assert page.evaluate("document.activeElement.textContent") == "Messages sent"


def test_what_stays_the_same_is_not_touched(site, opened):
    screen = shown(opened, site)
    count = """() => {
      window.touched = 0;
      new MutationObserver(all => { window.touched += all.length; }).observe(
        document.getElementById("tasks"), { subtree: true, childList: true, characterData: true, attributes: true });
    }"""
    screen.page.evaluate(count)
    screen.updates(2)
    assert screen.page.evaluate("window.touched") == 0
    assert screen.text("#announce") == ""  # nothing to read out either


def test_a_table_that_ends_takes_its_tools_with_it(site, opened):
    screen = shown(opened, site)
    assert screen.page.locator("#alerts .tools").count() == 1
    site.show(fleet(12, away=4))
    screen.wait("more alerts", lambda: len(screen.table("Firing now")) == 4)
    assert screen.page.locator("#alerts .tools").count() == 1
    playwright.expect(screen.page.locator("#announce")).to_have_text("4 alerts fire now.")
    site.show(fleet(12))
    screen.wait("no alerts", lambda: screen.table("Firing now") == [])
    assert screen.page.locator("#alerts .tools").count() == 0
    assert screen.page.title() == "recontool dashboard"


@pytest.mark.parametrize("number", [0, 1, 500])
@pytest.mark.parametrize("screen", [(1400, 900, "light"), (390, 844, "dark")], ids=["desk", "phone"])
def test_any_number_of_workers_fits_and_is_quiet(tmp_path, opened, number, screen):
    width, height, scheme = screen
    with Site(tmp_path, fleet(number, away=number // 9)) as site:
        tab = shown(opened, site, width=width, height=height, scheme=scheme)
        assert overflow(tab.page) <= 0
        assert tab.page.locator("#workers tbody tr").count() == min(number, 50)
        assert ("450 more workers" in tab.text("#workers")) is (number == 500)
        tab.updates(1)
        assert tab.messages == []
        assert tab.requests == [site.url]


def test_hostile_names_stay_text(tmp_path, opened):
    with Site(tmp_path, fleet(3, away=2, text=HOSTILE)) as site:
        screen = shown(opened, site)
        site.show(fleet(3, away=1, text=HOSTILE + "2"))
        screen.updates(2)
        assert screen.page.title() == "(1) recontool dashboard"
        assert screen.page.locator("main img, main script").count() == 0
        assert screen.text("#workers").count("</td><script>document.title='run'</script>") >= 3
        assert screen.messages == []
        assert screen.requests == [site.url]


def test_everything_can_be_done_with_the_keyboard(site, opened):
    screen = opened(site.url)
    page = screen.page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.locator("#key").focus()
    page.keyboard.type(KEY)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    screen.live()
    assert page.evaluate("document.activeElement.id") == "main"
    reached = set()
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.closest('#summary, #numbers, #alerts, #workers')?.id ?? ''"))
    assert {"numbers", "alerts", "workers"} <= reached
    page.locator("#contents a", has_text="System Health").focus()
    page.keyboard.press("Enter")
    page.wait_for_function("() => document.getElementById('health').getBoundingClientRect().top < innerHeight")
    assert page.url.endswith("#health")


def test_the_page_itself_holds_no_data_and_forbids_what_it_does_not_need(site, opened):
    screen = opened("about:blank")
    answer = screen.page.request.get(site.url)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "connect-src 'self'" in policy
    assert "unsafe" not in policy
    assert (answer.headers["cache-control"], answer.headers["x-content-type-options"]) == ("no-store", "nosniff")
    assert "worker-1<" not in answer.text()
    head = screen.page.request.head(site.url)
    assert (head.status, head.body(), head.headers["content-length"]) == (200, b"", answer.headers["content-length"])


def test_without_scripts_it_says_where_else_to_look(site, browser):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(site.url)
    assert "This page needs scripts" in page.inner_text("main")
    assert not page.locator("#ask").is_visible()
    context.close()


def test_the_readers_colours_and_less_motion_are_kept(site, opened):
    screen = shown(opened, site)
    screen.page.get_by_label("dark").check()
    screen.page.reload()
    screen.live()
    assert screen.page.evaluate("document.documentElement.dataset.theme") == "dark"
    screen.page.emulate_media(reduced_motion="reduce")
    assert screen.page.evaluate("getComputedStyle(document.documentElement).scrollBehavior") == "auto"
    assert json.loads(screen.page.evaluate("JSON.stringify({...localStorage})")) == {"recontool-theme": "dark"}
