"""What can be judged of a page without knowing what it is: accessibility, overflow, words in the wrong language."""

import re
from functools import cache
from pathlib import Path
from typing import Final

from playwright.async_api import Page

from tests.browser.console_page import Language

AXE: Final = (
    Path(__file__).parents[2]
    / "services/api/console/web/node_modules/axe-core/axe.min.js"
)
_RUN_AXE = """
async () => {
  const { violations } = await axe.run(document, {
    resultTypes: ["violations"],
    rules: { "target-size": { enabled: true } },
  });
  return violations.flatMap(({ id, help, nodes }) =>
    nodes.map((node) => `${id} (${help}): ${node.target.join(" ")} ${node.failureSummary.replaceAll("\\n", " ")}`));
}
"""
# Text that nobody can read because it is cut off, or lies beside the screen.
_CUT = """
() => {
  const ARROW = 16;
  const found = [];
  const root = document.documentElement;
  if (root.scrollWidth > root.clientWidth + 1)
    found.push(`the page is ${root.scrollWidth} px wide on a screen of ${root.clientWidth}`);
  const scrolls = (element) => {
    for (let at = element; at && at !== root; at = at.parentElement)
      if (["auto", "scroll"].includes(getComputedStyle(at).overflowX) && at.scrollWidth > at.clientWidth) return true;
    return false;
  };
  const clipped = (element, { left, right, top, bottom }) => {
    for (let at = element; at && at !== root; at = at.parentElement) {
      const style = getComputedStyle(at);
      if (style.overflowY === "visible" && style.overflowX === "visible") continue;
      if (/auto|scroll/.test(style.overflowX + style.overflowY) || style.textOverflow === "ellipsis" || style.webkitLineClamp !== "none") return false;
      const box = at.getBoundingClientRect();
      return left < box.left - 3 || right > box.right + 3 || top < box.top - 3 || bottom > box.bottom + 3;
    }
    return false;
  };
  const pen = document.createElement("canvas").getContext("2d");
  for (const select of document.querySelectorAll("select")) {
    const style = getComputedStyle(select);
    pen.font = style.font;
    const text = select.selectedOptions[0]?.text ?? "";
    const room = select.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight) - ARROW;
    if (select.checkVisibility() && pen.measureText(text).width > room + 1) found.push(`cut: <select> “${text}”`);
  }
  const own = (element) => [...element.childNodes]
    .filter((node) => node.nodeType === Node.TEXT_NODE).map((node) => node.data.trim()).join(" ").trim();
  for (const element of document.querySelectorAll("body *")) {
    const text = own(element);
    if (!text || !element.checkVisibility() || element.closest(".unseen, .skip, svg, option, .maplibregl-map")) continue;
    const name = `<${element.localName}> “${text.slice(0, 60)}”`;
    const place = element.getBoundingClientRect();
    const { left, right, width } = place;
    if (width > 1 && clipped(element, place)) found.push(`cut: ${name}`);
    else if (width > 1 && (left < -1 || right > innerWidth + 1) && !scrolls(element)) found.push(`off the screen: ${name}`);
  }
  return found;
}
"""
# Everything that is read or read out, except what is the same in every language by nature.
_TEXTS = """
() => {
  const same = "noscript, code, pre, kbd, script, style, [translate=no], option, .maplibregl-map, " +
    ":lang(kk) :lang(ru), :lang(kk) :lang(en), :lang(ru) :lang(kk), :lang(ru) :lang(en), :lang(en) :lang(kk), :lang(en) :lang(ru)";
  const texts = new Set();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const parent = walker.currentNode.parentElement;
    if (parent && !parent.closest(same)) texts.add(walker.currentNode.data.trim());
  }
  for (const element of document.querySelectorAll("[aria-label], [title], [placeholder], [alt]"))
    if (!element.closest(same))
      for (const name of ["aria-label", "title", "placeholder", "alt"])
        texts.add(element.getAttribute(name)?.trim() ?? "");
  texts.add(document.title);
  texts.delete("");
  return [...texts];
}
"""

_HOLES = ("undefined", "NaN", "[object ", "{", "}")
_KEY = re.compile(r"\b[a-z]+(_[a-z]+)+\b")
_ADDRESS = re.compile(r"(?<!\w)/[\w/.-]+")
_CYRILLIC = re.compile("[Ѐ-ӿ]")
_LATIN_WORD = re.compile("[A-Za-z]{4,}")
_FOREIGN = {"en": _CYRILLIC, "ru": _LATIN_WORD, "kk": _LATIN_WORD}


@cache
def _axe() -> str:
    return AXE.read_text(encoding="utf-8")


async def accessibility_violations(page: Page) -> list[str]:
    """Axe's violations, one line for each element."""
    await page.evaluate(_axe())
    found: list[str] = await page.evaluate(_RUN_AXE)
    return found


async def cut_texts(page: Page) -> list[str]:
    found: list[str] = await page.evaluate(_CUT)
    return found


async def texts_of(page: Page) -> list[str]:
    """Also titles and labels."""
    found: list[str] = await page.evaluate(_TEXTS)
    return found


def wrong_words(texts: list[str], language: Language, names: set[str]) -> list[str]:
    """PURE: texts that are no words of the language: another script, a key, a hole.

    names: proper names of the data, the same in every language.
    """
    return [text for text in texts if _is_wrong(text, language, names)]


def _is_wrong(text: str, language: Language, names: set[str]) -> bool:
    if any(hole in text for hole in _HOLES) or _KEY.search(text):
        return True
    text = _ADDRESS.sub("", text)
    for name in sorted(names, key=len, reverse=True):
        text = text.replace(name, "")
    return bool(_FOREIGN[language].search(text)) and not (
        language != "en" and _CYRILLIC.search(text)
    )
