// Pleasant, never needed: lists change without a reload, a page that lives stays current, a form is sent once.
// A place takes part by attribute: <a data-live>, <a data-into="id">, <form data-live method="get">, <main data-refresh="15">.
"use strict";

const MINIMUM_WAIT = 250; // ms after the last key before a search goes out

let waiting = null; // the request whose answer the reader still wants

async function fetchPage(address, quiet) {
  waiting?.abort();
  const mine = (waiting = new AbortController());
  const main = document.querySelector("main");
  if (!quiet) main.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(address, { signal: mine.signal, headers: { Accept: "text/html" } });
    return { page: new DOMParser().parseFromString(await answer.text(), "text/html"), address: answer.url, ok: answer.ok, gone: answer.status === 404 };
  } finally {
    if (waiting === mine) {
      waiting = null;
      main.removeAttribute("aria-busy");
    }
  }
}

// Replace <main>, and put the focus and the caret back where they were.
function show(page, focusMain) {
  const focused = document.activeElement;
  const name = focused?.getAttribute("name");
  const caret = focused?.selectionStart ?? null;
  const fresh = page.querySelector("main");
  if (!fresh) return false;
  document.querySelector("main").replaceWith(document.adoptNode(fresh));
  document.title = page.title;
  const back = page.querySelector('input[name="back"]');
  const here = document.querySelector('footer input[name="back"]');
  if (back && here) here.value = back.value;
  const again = name && document.querySelector(`main [name="${CSS.escape(name)}"]`);
  if (again && !focusMain) {
    again.focus({ preventScroll: true });
    if (caret !== null && again.setSelectionRange && again.type !== "email") again.setSelectionRange(caret, caret);
  } else if (focusMain) {
    document.querySelector("main").focus({ preventScroll: true });
    scrollTo(0, 0);
  }
  return true;
}

// A place in the history for each list that was asked for, but one for a whole search, not for each word of it.
async function go(address, { focusMain = true, push = true, typed = false } = {}) {
  try {
    const answer = await fetchPage(address, false);
    // Led elsewhere, as to the sign-in page: then the whole page is another one.
    const led = new URL(answer.address).pathname !== new URL(address, location.href).pathname;
    if (led || !show(answer.page, focusMain)) location.assign(answer.address);
    else if (push) history[typed && history.state?.typed ? "replaceState" : "pushState"]({ typed }, "", answer.address);
  } catch (problem) {
    if (problem.name !== "AbortError") location.assign(address);
  }
}

function addressOf(form) {
  const address = new URL(form.action, location.href);
  address.search = "";
  for (const [name, value] of new FormData(form)) if (value) address.searchParams.append(name, value);
  return address;
}

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[data-live]");
  if (!link || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  go(link.href);
});

// The answer to a link belongs on this page: the part with this id of the page that it leads to.
async function fill(link) {
  const id = link.dataset.into;
  try {
    const { page, ok } = await fetchPage(link.href, true);
    const part = ok && page.getElementById(id);
    if (!part) return location.assign(link.href);
    for (const each of document.querySelectorAll("a[data-into][aria-current]")) each.removeAttribute("aria-current");
    link.setAttribute("aria-current", "true");
    part.tabIndex = 0; // it scrolls
    document.getElementById(id).replaceWith(document.adoptNode(part));
    part.focus({ preventScroll: true });
    link.scrollIntoView({ block: "center", inline: "nearest" });
  } catch (problem) {
    if (problem.name !== "AbortError") location.assign(link.href);
  }
}

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[data-into]");
  if (!link || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  fill(link);
});
// Escape puts it away again, and leads back to where it was asked.
document.addEventListener("keydown", (event) => {
  const link = event.key === "Escape" && document.querySelector("a[data-into][aria-current]");
  if (!link) return;
  document.getElementById(link.dataset.into).hidden = true;
  link.removeAttribute("aria-current");
  link.focus();
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.matches("form[data-live]")) {
    event.preventDefault();
    go(addressOf(form), { focusMain: false });
  } else if (form.method === "post") {
    // A second click would send a second comment.
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "yes";
    event.submitter?.setAttribute("aria-disabled", "true");
  }
});

let timer = 0;
document.addEventListener("input", (event) => {
  const form = event.target.form;
  if (!form?.matches("form[data-live]") || event.isComposing) return; // an unfinished kana or jamo is no search
  clearTimeout(timer);
  timer = setTimeout(() => go(addressOf(form), { focusMain: false, typed: true }), MINIMUM_WAIT);
});
document.addEventListener("compositionend", (event) => event.target.dispatchEvent(new Event("input", { bubbles: true })));

addEventListener("popstate", () => go(location.href, { push: false }));
addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});

// What the vendor changes appears by itself, but never under somebody's hands.
function isBusy() {
  const fields = [...document.querySelectorAll("main textarea, main form:not([data-live]) input[type=text]")];
  return document.hidden || waiting || document.activeElement?.closest("main *") || !getSelection().isCollapsed
    || fields.some((field) => field.value !== field.defaultValue) || document.querySelector("main details[open]");
}

async function refresh() {
  const seconds = Number(document.querySelector("main").dataset.refresh || 0);
  setTimeout(refresh, (seconds || 15) * 1000);
  if (!seconds || isBusy()) return;
  try {
    const { page, address, ok, gone } = await fetchPage(location.href, true);
    // What was taken back, and what a session that has ended showed, stays on no screen.
    if (gone || new URL(address).pathname !== location.pathname) return location.reload();
    const fresh = page.querySelector("main");
    if (!ok || address !== location.href || !fresh || isBusy()) return;
    if (fresh.innerHTML !== document.querySelector("main").innerHTML) show(page, false);
  } catch {
    // Offline for a while: what is on the page stays, the next round tries again.
  }
}
setTimeout(refresh, 5000);
