// Buttons that work on every page: language, large text.

import { keep, kept } from "./kept.js";
import { currentLanguage, switchLanguage, t } from "./i18n.js";

const BIG = "kaiwa.big";

export function languageButton(button) {
  button.addEventListener("click", switchLanguage);
}

// Marks the switch as being in the other language, so that it is read aloud rightly.
export function labelLanguage(button) {
  button.textContent = t("language.other");
  button.title = t("language.switch");
  button.lang = currentLanguage() === "en" ? "ja" : "en";
}

export function bigTextButton(button) {
  const show = (big) => {
    document.documentElement.classList.toggle("big", big);
    button.ariaPressed = String(big);
  };
  show(kept(BIG) === "yes");
  button.addEventListener("click", () => {
    const big = button.ariaPressed !== "true";
    keep(BIG, big ? "yes" : "no");
    show(big);
  });
}

// Shows `words` for a moment, and reads them aloud.
export function toast(element) {
  let timer = 0;
  return (words) => {
    clearTimeout(timer);
    element.textContent = words;
    element.classList.add("shown");
    timer = setTimeout(() => element.classList.remove("shown"), 2600);
  };
}
