"use strict";

// One photo: before and after below a slider, page by page, with what its record says.
autochrome.viewer = (() => {
  const { TONES, COUNT, FIGURE, address, baseName, byId, bytes, make, pair, photo, thumbnail, wellFormed, words } = autochrome;
  // Of the page: how many photos there are, the record at a place, what to say of data that are gone; entered(name) is
  // called when a photo is shown, and left(place) when the viewer is closed.
  let photos;
  let open = { at: 0, row: null, leaf: 0 };
  let asked = 0;
  let wanted = 0; // the place that was asked for last, which may still be loading

  const show = async (place) => {
    asked += 1;
    wanted = place;
    const ticket = asked;
    let record;
    try {
      record = await photos.at(place);
    } catch (error) {
      if (ticket !== asked) return;
      wanted = open.at;
      if (byId("viewer").open) byId("warnings").replaceChildren(make("li", {}, photos.missing(error)));
      else byId("status").textContent = photos.missing(error);
      return;
    }
    if (ticket !== asked) return;
    open = { at: place, row: record, leaf: 0 };
    const held = byId("viewer").open ? document.activeElement : null;
    byId("viewer-name").textContent = record.name;
    byId("place").textContent = `${COUNT.format(place + 1)} of ${COUNT.format(photos.total())}`;
    byId("previous").disabled = place === 0;
    byId("next").disabled = place + 1 >= photos.total();
    byId("warnings").replaceChildren(...(record.warnings ?? []).map((text) => make("li", {}, text)));
    slideTo(50);
    drawLeaf();
    if (!byId("viewer").open) byId("viewer").showModal();
    focus(held);
    photos.entered(record.name);
  };

  const isUsable = (element) => !element.disabled && element.offsetParent !== null;

  // Leaves the focus where it was in the viewer, if that can still be used.
  const focus = (held) => {
    const [slider, previous, next, close] = ["slider", "previous", "next", "close"].map(byId);
    const stepped = held === next ? [next, previous] : held === previous ? [previous, next] : held?.id ? [held] : [];
    [...stepped, slider, next, close].find(isUsable).focus({ focusVisible: stepped.length > 0 && held.matches(":focus-visible") });
  };

  const drawLeaf = () => {
    const { row: record, leaf } = open;
    const count = record.pages?.length ?? 0;
    const page = record.pages?.[leaf] ?? {};
    byId("leaves").hidden = count < 2;
    byId("leaf").textContent = `page ${page.page ?? leaf + 1} of ${count}`;
    byId("leaf-back").disabled = leaf === 0;
    byId("leaf-on").disabled = leaf + 1 >= count;
    const stage = byId("stage");
    const both = Boolean(page.before && page.after);
    stage.classList.toggle("both", both);
    stage.dataset.both = both ? "1" : "";
    const ratio = page.width && page.height ? page.width / page.height : 4 / 3;
    stage.style.setProperty("--ratio", String(Math.min(Math.max(ratio, 0.3), 4)));
    for (const [id, alt] of [["before", "Before"], ["after", "In colour"]]) {
      const picture = byId(id);
      picture.hidden = !page[id];
      if (page[id]) picture.src = thumbnail(page[id]);
      else picture.removeAttribute("src");
      picture.alt = page[id] ? `${alt}: ${baseName(record.name)}` : "";
    }
    const why = record.status === "rejected" ? `${words(record.reason)}` : "Neither the photo nor its source was there";
    byId("placeholder").textContent = page.before || page.after ? "" : why;
    drawFacts(record, page);
  };

  // Of a source, '' if no browser can open it. Pages from a server may not link to files on a disk.
  const sourceAddress = (uri) => {
    if (/^https?:\/\//u.test(uri)) return uri;
    return location.protocol === "file:" && uri.startsWith("/") ? `file://${address(uri)}` : "";
  };

  const drawFacts = (record, page) => {
    const facts = byId("facts");
    facts.replaceChildren();
    pair(facts, "outcome", record.status === "rejected" ? words(record.reason) : record.status);
    if (record.detail) pair(facts, "detail", record.detail);
    if (page.width) {
      pair(facts, "size", `${COUNT.format(page.width)} × ${COUNT.format(page.height)} pixels${page.bytes ? `, ${bytes(page.bytes)}` : ""}`);
    }
    if (page.tone) pair(facts, "the scan was", TONES[page.tone] ?? page.tone);
    if (page.colourfulness !== undefined) pair(facts, "colourfulness", FIGURE.format(page.colourfulness));
    if (page.picture) {
      const [left, top, right, bottom] = page.picture;
      pair(facts, "picture", `${COUNT.format(right - left)} × ${COUNT.format(bottom - top)} pixels, within a margin that stays grey`);
    }
    if (page.file) pair(facts, "photo", make("a", { href: photo(page.file), target: "_blank", rel: "noopener" }, page.file));
    const format = [record.format, record.bytes ? bytes(record.bytes) : ""].filter(Boolean).join(", ");
    const inside = record.offset === undefined ? "" : `, from byte ${COUNT.format(record.offset)}`;
    const isGone = page.after && !page.before && record.status !== "copied";
    const href = isGone || inside ? "" : sourceAddress(record.uri);
    const source = href ? make("a", { href, target: "_blank", rel: "noopener" }, record.uri) : record.uri;
    pair(facts, "source", make("span", {}, source, `${inside}${format ? ` (${format})` : ""}`));
    if (record.model) pair(facts, "made by", `${record.model}, run ${record.run}`);
    if (isGone) pair(facts, "before", "the source was not there when this page was made");
  };

  const slideTo = (value) => {
    const slider = byId("slider");
    slider.value = String(value);
    slider.setAttribute("aria-valuetext", `${value} % before, ${100 - value} % in colour`);
    byId("stage").style.setProperty("--at", `${value}%`);
  };

  const turnLeaf = (step) => { open.leaf += step; drawLeaf(); };

  const close = () => {
    asked += 1; // a photo that is still being loaded must not open it again
    byId("viewer").close();
  };

  const step = (by) => {
    if (wanted + by >= 0 && wanted + by < photos.total()) show(wanted + by);
  };

  const isOutside = ({ target, clientX, clientY }) => {
    const { left, top, right, bottom } = byId("viewer").getBoundingClientRect();
    return target === byId("viewer") && (clientX < left || clientX > right || clientY < top || clientY > bottom);
  };

  // Arrow keys turn to other photos, except on the slider, which they move.
  const press = (event) => {
    const by = { ArrowLeft: "previous", ArrowRight: "next" }[event.key];
    if (!by || event.target === byId("slider") || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    byId(by).click();
  };

  const isOpenAt = (name) => byId("viewer").open && wellFormed(open.row.name) === name;

  const start = (of) => {
    photos = of;
    let wasPressedOutside = false;
    byId("slider").addEventListener("input", (event) => slideTo(Number(event.target.value)));
    byId("close").addEventListener("click", close);
    byId("viewer").addEventListener("cancel", () => { asked += 1; });
    byId("viewer").addEventListener("close", () => photos.left(open.at));
    byId("viewer").addEventListener("pointerdown", (event) => { wasPressedOutside = isOutside(event); });
    byId("viewer").addEventListener("click", (event) => { if (wasPressedOutside && isOutside(event)) close(); });
    byId("viewer").addEventListener("keydown", press);
    byId("previous").addEventListener("click", () => step(-1));
    byId("next").addEventListener("click", () => step(1));
    byId("leaf-back").addEventListener("click", () => turnLeaf(-1));
    byId("leaf-on").addEventListener("click", () => turnLeaf(1));
  };

  return { close, isOpenAt, show, start };
})();
