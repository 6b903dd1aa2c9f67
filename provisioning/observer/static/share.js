// The sheet that hands the page on: a QR code for the phones around, the address to copy, the system's own sharing.

import { t } from "./i18n.js";

export class ShareSheet {
  #sheet;
  #device;
  #text;

  // opener: the button; sheet: the <dialog>; text(): what is said with the address.
  constructor(opener, sheet, device, text) {
    this.#sheet = sheet;
    this.#device = device;
    this.#text = text;
    opener.addEventListener("click", () => this.#open());
    sheet.addEventListener("click", (event) => event.target === sheet && sheet.close());
    this.#part(".close").addEventListener("click", () => sheet.close());
    this.#part(".copy").addEventListener("click", () => this.#copy());
    this.#part(".system").hidden = !navigator.share;
    this.#part(".system").addEventListener("click", () => this.#share());
  }

  get #url() {
    return location.origin + location.pathname;
  }

  #part(name) {
    return this.#sheet.querySelector(name);
  }

  #open() {
    this.#part(".qr").src = `/r/${encodeURIComponent(this.#device)}/qr.svg`;
    this.#part(".address").textContent = this.#url;
    this.#part(".done").textContent = "";
    this.#sheet.showModal();
  }

  async #copy() {
    await navigator.clipboard.writeText(this.#url).then(
      () => this.#say("share.copied"),
      () => this.#say("share.failed"),
    );
  }

  async #share() {
    try {
      await navigator.share({ title: document.title, text: this.#text(), url: this.#url });
      this.#sheet.close();
    } catch (error) {
      if (error.name !== "AbortError") this.#say("share.failed");
    }
  }

  #say(key) {
    this.#part(".done").textContent = t(key);
  }
}
