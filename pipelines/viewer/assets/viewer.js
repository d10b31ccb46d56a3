"use strict";

// One photo: before and after below a slider, page by page, with what its record says.
autochrome.viewer = (() => {
  const { TONES, COUNT, FIGURE, baseName, byId, bytes, make, pair, photo, thumbnail, words } = autochrome;
  let photos; // how many there are, and the record at a place: { total(), at(place) }
  let open = { at: 0, row: null, leaf: 0 };

  const show = async (place) => {
    const record = await photos.at(place);
    open = { at: place, row: record, leaf: 0 };
    byId("viewer-name").textContent = record.name;
    byId("place").textContent = `${COUNT.format(place + 1)} of ${COUNT.format(photos.total())}`;
    byId("previous").disabled = place === 0;
    byId("next").disabled = place + 1 >= photos.total();
    byId("warnings").replaceChildren(...(record.warnings ?? []).map((text) => make("li", {}, text)));
    slideTo(50);
    drawLeaf();
    if (!byId("viewer").open) byId("viewer").showModal();
    const { both } = byId("stage").dataset;
    (both ? byId("slider") : byId("next").disabled ? byId("close") : byId("next")).focus({ focusVisible: false });
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
    pair(facts, "source", `${record.uri}${inside}${format ? ` (${format})` : ""}`);
    if (record.model) pair(facts, "made by", `${record.model}, run ${record.run}`);
    if (page.after && !page.before && record.status !== "copied") pair(facts, "before", "the source was not there when this page was made");
  };

  const slideTo = (value) => {
    const slider = byId("slider");
    slider.value = String(value);
    slider.setAttribute("aria-valuetext", `${value} % before, ${100 - value} % in colour`);
    byId("stage").style.setProperty("--at", `${value}%`);
  };

  const turnLeaf = (step) => { open.leaf += step; drawLeaf(); };

  const step = (by) => show(open.at + by);

  // left(place) is called when the viewer is closed at a place.
  const start = (of, left) => {
    photos = of;
    byId("slider").addEventListener("input", (event) => slideTo(Number(event.target.value)));
    byId("close").addEventListener("click", () => byId("viewer").close());
    byId("viewer").addEventListener("close", () => left(open.at));
    byId("viewer").addEventListener("click", (event) => { if (event.target === byId("viewer")) byId("viewer").close(); });
    byId("previous").addEventListener("click", () => step(-1));
    byId("next").addEventListener("click", () => step(1));
    byId("leaf-back").addEventListener("click", () => turnLeaf(-1));
    byId("leaf-on").addEventListener("click", () => turnLeaf(1));
  };

  return { show, start };
})();
