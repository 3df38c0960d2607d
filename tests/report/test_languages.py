"""The page in other languages: nothing is left in English, nothing is missing, nothing leaks, names stay as they are."""

import base64
import gzip
import importlib.util
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from chromium import needs_browser, opened, overflow
from fleet_builder import fleet, look

import recontool.report.html as pages
from recontool.api.analyze import analyze
from recontool.api.detail import look_again
from recontool.model.catalogue import CATALOGUE
from recontool.model.errors import UsageError
from recontool.model.languages import LANGUAGES, language_of
from recontool.model.said import clauses, said, said_of
from recontool.report.language import Language, language, say, several, speaking, spoken
from recontool.report.pofile import Entry, parsed, written

ROOT = Path(__file__).parents[2]
OTHERS = [code for code in LANGUAGES if code != "en"]
MARKED = re.compile(r"⟦[^⟦⟧]*⟧")
# Units, and words that are the same in every language.
SAME = frozenset({"UTC", "KiB", "MiB", "GiB", "CSV", "JSON", "recontool", "min", "ms", "tagged", "ipfs", "accelerate"})


@pytest.fixture(scope="module")
def languages():
    spec = importlib.util.spec_from_file_location("languages", ROOT / "docs" / "languages.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Marked(Language):
    """Every message in marks and 40 % longer; what is no message of a catalogue stays as it is."""

    known = frozenset()

    def chosen(self, one, many, number):
        text = many if many and number != 1 else one
        return f"⟦{text}{'~' * -(-len(text) * 2 // 5)}⟧" if one in self.known else text


@pytest.fixture
def marked(monkeypatch, languages):
    """Pages come out in the pseudo-language, whatever is asked for."""
    made = Marked("de", {}, lambda _: 0)
    monkeypatch.setattr(Marked, "known", frozenset(languages.messages()))
    monkeypatch.setattr(pages, "language", lambda _: made)


@pytest.fixture(scope="module")
def inputs():
    """Logs with all that a page tells of: outages, an incident, failed tasks, refused keys, alerts, advice, claims."""
    found = analyze([str(path) for path in sorted((ROOT / "sample_logs").glob("*.log"))])
    assert found.incidents
    assert found.security
    assert found.recommendations
    assert found.alerts
    return found, look_again(found)


class Texts(HTMLParser):
    """Every text a reader sees or hears, but code, raw lines, and cells that hold names or lines."""

    def __init__(self):
        super().__init__()
        self.found, self._silent = [], []

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.found += [given[name] for name in ("aria-label", "title", "placeholder", "alt") if given.get(name)]
        if tag in {"style", "script", "code", "pre"} or "code" in (given.get("class") or "").split():
            self._silent.append(tag)

    def handle_endtag(self, tag):
        if self._silent and self._silent[-1] == tag:
            self._silent.pop()

    def handle_data(self, data):
        if not self._silent and data.strip():
            self.found.append(data.strip())


def texts_of(page):
    reader = Texts()
    reader.feed(page)
    return reader.found


def block(page, name):
    return re.search(rf'<script type="text/plain" id="{name}">(.*?)</script>', page, re.DOTALL)[1]


def unpacked(page, name):
    return json.loads(gzip.decompress(base64.b64decode(block(page, name))))


def chart_texts(page):
    """What charts say: names, titles, notes, ticks, what shows below the pointer."""
    return [*_strings(unpacked(page, "charts"), "")]


def _strings(value, key):
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _strings(item, name)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item, key)
    elif isinstance(value, str) and key in {"name", "text", "hovertemplate", "ticktext", "y"}:
        yield re.sub(r"%\{[^}]*\}|<[^>]*>", " ", value)


def names_in(found):
    """Names, ids, error texts: what a page shows as the logs have it."""
    rules = {alert.alert for alert in found.alerts}
    return {
        *found.workers, *found.coordinators, *CATALOGUE,
        *rules, *(rule.replace("_", " ") for rule in rules), *(rule.replace("_", " ").capitalize() for rule in rules),
        *(file.path for file in found.inputs), *(file.name for file in found.inputs),
        *(worker.first_error for worker in found.workers.values()),
        *(one.detail for one in found.security), *(one.setting for one in found.recommendations),
        *(why for file in found.inputs for _, _, why in file.unparsed_examples),
    }  # fmt: skip


def left_in_english(texts, names):
    """Texts with a word outside the marks that is no name and no unit."""
    left = []
    for text in texts:
        rest = text
        while MARKED.search(rest):
            rest = MARKED.sub(" ", rest)
        for name in sorted(names, key=len, reverse=True):
            rest = rest.replace(name, " ") if name else rest
        if [word for word in re.findall(r"[A-Za-z]{2,}", rest) if word not in SAME]:
            left.append(text)
    return left


def test_every_catalogue_is_complete(languages):
    assert OTHERS
    assert languages.unfinished() == []
    assert sorted(path.stem for path in languages.FOLDER.glob("*.po")) == sorted(OTHERS)
    for path in languages.catalogues():
        before = path.read_text(encoding="utf-8")
        entries, rule = parsed(before)
        assert [entry.one for entry in entries] == list(languages.messages()), f"write {path.name} anew"
        assert rule


@pytest.mark.parametrize(
    ("damage", "said_of_it"),
    [
        (lambda entry: Entry(entry.one, entry.many, ("",) * len(entry.forms)), "has no translation"),
        (lambda entry: Entry(entry.one, entry.many, ("{nobody}",) * len(entry.forms)), "has other places"),
        (lambda entry: Entry(f"{entry.one}!", entry.many, entry.forms), "is said nowhere"),
        (lambda entry: Entry(entry.one, entry.many, tuple(f"<b>{form}" for form in entry.forms)), "holds markup"),
    ],
)
def test_a_catalogue_with_a_fault_is_refused(languages, tmp_path, damage, said_of_it):
    text = (languages.FOLDER / "de.po").read_text(encoding="utf-8")
    entries, rule = parsed(text)
    path = tmp_path / "de.po"
    path.write_text(written(f"Plural-Forms: nplurals=2; plural={rule};\n", [damage(entries[1]), *entries[2:]]), "utf-8")
    assert any(said_of_it in problem for problem in languages.problems(path))


@pytest.mark.usefixtures("marked")
def test_no_text_of_the_page_is_forgotten(inputs):
    found, detail = inputs
    page = pages.render(found, detail, lang="de")
    texts = [*texts_of(page), *chart_texts(page)]
    texts += [step for entry in unpacked(page, "details")["outages"].values() for step, _, _ in entry["steps"]]
    assert len(texts) > 500
    assert left_in_english(texts, names_in(found)) == []


@pytest.mark.usefixtures("marked")
def test_pages_with_little_to_say_are_not_forgotten():
    for name in ("coordinator", "worker-3"):
        found = analyze([str(ROOT / "sample_logs" / f"{name}.log")])
        page = pages.render(found, look_again(found), lang="de", lite=True)
        assert "⟦" in page
        assert left_in_english(texts_of(page), names_in(found)) == []
    for found in (fleet(0), fleet(3, outages=0)):
        page = pages.render(found, lang="de", lite=True)
        own = {value.reason for one in found.workers.values() for value in one.metrics.values()}
        own |= {
            found.verdict.sentence,
            *(value.reason for value in found.fleet.values()),
            *(note.text for note in found.quality),
            *(one.explanation for one in found.disagreements),
        }
        assert left_in_english(texts_of(page), names_in(found) | own | {"coordinator.log"}) == []


@needs_browser
@pytest.mark.usefixtures("marked")
@pytest.mark.parametrize("size", [(1400, 900), (390, 844)])
def test_longer_words_fit_and_scripts_say_theirs(inputs, browser, tmp_path, size):
    found, detail = inputs
    path = tmp_path / "page.html"
    path.write_text(pages.render(found, detail, lang="de"), encoding="utf-8")
    shown, messages, _ = opened(browser, path, width=size[0], height=size[1])
    assert overflow(shown) <= 0
    covered = shown.evaluate(
        "[...document.querySelectorAll('.headlines .chip')].filter((chip) => {"
        "const [a, b] = [chip, chip.nextElementSibling].map((box) => box.getBoundingClientRect());"
        "return a.right > b.left && a.bottom > b.top; }).length"
    )
    assert covered == 0
    shown.fill("main input[type=search] >> visible=true >> nth=0", "worker")
    drawn = [*texts_of(shown.content()), *shown.locator(".chart text").all_text_contents()]
    assert left_in_english(drawn, names_in(found)) == []
    outage = shown.locator("#outages tr[data-worker]").first.get_attribute("id")
    shown.goto(f"{path.as_uri()}#{outage}")
    shown.wait_for_selector("html.drilled", state="attached")
    shown.wait_for_selector("#drill .raw")
    drilled = texts_of(shown.locator("#drill").evaluate("box => box.outerHTML"))
    assert left_in_english(drilled, names_in(found)) == []
    assert any("⟦" in text for text in drilled)
    assert overflow(shown) <= 0
    assert messages == []
    shown.context.close()


@needs_browser
def test_a_translated_page_is_accessible(inputs, browser, tmp_path):
    from test_report_accessible import failures

    path = tmp_path / "page.html"
    path.write_text(pages.render(*inputs, lang="de"), encoding="utf-8")
    shown, messages, requests = opened(browser, path)
    assert failures(shown) == []
    assert messages == []
    assert requests == [path.as_uri()]
    shown.context.close()


@pytest.mark.parametrize("code", OTHERS)
def test_each_language_makes_a_page(inputs, code):
    english = pages.render(*inputs)
    page = pages.render(*inputs, lang=code)
    assert f'<html lang="{code.replace("_", "-")}">' in page
    assert page == pages.render(*inputs, lang=code)
    assert pages.render(*inputs) == english, "a language stays with its page"
    assert len(page.encode()) <= 1_000_000
    common = set(texts_of(english)) & {
        entry.one for entry in parsed(_catalogue(code))[0] if entry.one != entry.forms[0]
    }
    ours = {entry.forms[0] for entry in parsed(_catalogue(code))[0]}
    assert common
    assert [text for text in texts_of(page) if text in common and text not in ours | names_in(inputs[0])] == []


@pytest.mark.parametrize("code", OTHERS)
def test_small_pages_stay_small_in_any_script(large, code):
    page = pages.render(*large, lang=code, lite=True)
    assert len(page.encode()) <= 150_000
    assert page == pages.render(*large, lang=code, lite=True)


@pytest.fixture(scope="module")
def large():
    found = fleet(50, minutes=24 * 60, outages=20)
    return found, look(found)


def _catalogue(code):
    from importlib import resources

    return resources.files("recontool.report.languages").joinpath(f"{code}.po").read_text(encoding="utf-8")


@pytest.mark.parametrize("text", ["<script>x()</script>", "{0.__class__} {n} %s", "⟦ \u202e", '"><b id=run>'])
@pytest.mark.parametrize("code", OTHERS)
def test_names_in_translated_sentences_stay_text(code, text):
    found = fleet(2, text=text)
    page = pages.render(found, look(found, text), lang=code, lite=True)
    assert "<script>x()" not in page
    assert "<b id=run>" not in page
    assert "\u202e" not in page


def test_a_sentence_of_the_analysis_is_said_in_any_language():
    text = clauses(
        said("{n} workers lost their connection {moment}", n="3", moment=said("at the same moment")),
        said_of(1, "{n} task failed", "{n} tasks failed"),
        "as {it} stands",
    )
    assert text == "3 workers lost their connection at the same moment; 1 task failed; as {it} stands"
    assert spoken(text) == text
    with speaking(language("de")):
        assert (
            spoken(text)
            == "3 Worker verloren im selben Augenblick ihre Verbindung; 1 Aufgabe fehlgeschlagen; as {it} stands"
        )
        assert say("{who} is unknown here", who="{n}") == "{n} is unknown here"
        assert several(2, "{n} file", "{n} files") == "2 Dateien"
    assert several(1, "{n} file", "{n} files") == "1 file"
    assert text.again(str.upper).startswith("3 workers lost their connection at the same moment; 1 task failed; AS")


def test_names_are_taken_out_of_sentences_in_any_language(inputs):
    from recontool.report.redaction import redacted

    page = pages.render(*redacted(*inputs, ("workers",), b"key"), lang="de", lite=True)
    assert "worker-1" not in page
    assert "Worker" in page


@pytest.mark.parametrize(
    ("text", "code"), [("de", "de"), (" DE ", "de"), ("en", "en"), ("pt-br", "pt_BR"), ("zh_cn", "zh_CN")]
)
def test_languages_are_found_however_they_are_written(text, code):
    assert language_of(text) == code


def test_an_unknown_language_is_refused_with_a_list():
    with pytest.raises(UsageError, match="expected en, de, es, fr, it, ja, ko, pt_BR, ru, sv, tr, uk, zh_CN"):
        language_of("tlh")


def test_plural_rules_choose_forms_by_number():
    wanted = {code: {language(code).form(number) for number in range(200)} for code in OTHERS}
    for code, used in wanted.items():
        entries, _ = parsed(_catalogue(code))
        assert used == set(range(max(len(entry.forms) for entry in entries))), code


def test_catalogues_hold_nothing_invisible():
    from recontool.report.plain import plain

    for code in OTHERS:
        for entry in parsed(_catalogue(code))[0]:
            assert [form for form in entry.forms if plain(form) != form] == []
