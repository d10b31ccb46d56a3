"use strict";

// Texts from the folder (names, details, warnings) are only ever put into text nodes and attributes that run nothing.
const autochrome = (() => {
  const PHOTOS_PER_PAGE = 60;
  const FILES_KEPT = 400;
  const IN_COLOUR = 1;
  const WARNED = 2;
  const DONE = ["written", "kept", "copied", "skipped"];
  const TONES = { grayscale: "grey", near_gray: "almost grey", toned: "toned", color: "in colour already" };
  const COUNT = new Intl.NumberFormat("en");
  const FIGURE = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });

  const byId = (id) => document.getElementById(id);
  const state = { filter: "all", text: "", page: 0 };
  let index;
  let shown = null; // photos of the filter in its order; null stands for all by name
  let showing = 0;
  let choosing = 0;
  let open = { at: 0, row: null, leaf: 0 };

  const make = (tag, attributes = {}, ...children) => {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name === "onclick") made.addEventListener("click", value);
      else if (value !== null && value !== false) made.setAttribute(name, value === true ? "" : value);
    }
    made.append(...children.filter((child) => child !== null));
    return made;
  };

  const pair = (list, name, value) => list.append(make("dt", {}, name), make("dd", {}, value));

  const bytes = (number) => {
    for (const unit of ["bytes", "kB", "MB", "GB"]) {
      if (number < 1000) return `${FIGURE.format(number)} ${unit}`;
      number /= 1000;
    }
    return `${FIGURE.format(number)} TB`;
  };

  // A path as an address. Bytes of a name that are no UTF-8 came as lone surrogates DC80 to DCFF.
  const address = (path) =>
    Array.from(path, (char) => {
      const code = char.codePointAt(0);
      if (code >= 0xdc80 && code <= 0xdcff) return `%${(code - 0xdc00).toString(16)}`;
      return char === "/" ? char : encodeURIComponent(code >= 0xd800 && code <= 0xdfff ? "\ufffd" : char);
    }).join("");

  const thumbnail = (id) => `report/thumbnails/${id.slice(0, 2)}/${id.slice(2)}.jpg`;

  // Files of data, each loaded once by a script element: pages on disk may not fetch.
  const files = (folder) => {
    const waiting = new Map();
    const loaded = new Map();
    return {
      put: (number, content) => waiting.get(number)?.(content),
      get: (number) => {
        if (!loaded.has(number)) {
          if (loaded.size >= FILES_KEPT) loaded.delete(loaded.keys().next().value);
          loaded.set(number, new Promise((resolve, reject) => {
            waiting.set(number, resolve);
            const script = make("script", { src: `report/${folder}/${String(number).padStart(5, "0")}.js` });
            script.onload = () => { waiting.delete(number); script.remove(); };
            script.onerror = () => { loaded.delete(number); script.remove(); reject(new Error(script.src)); };
            document.head.append(script);
          }));
        }
        return loaded.get(number);
      },
    };
  };
  const rows = files("data");
  const names = files("names");

  const row = async (photo) => {
    const found = await rows.get(Math.floor(photo / index.recordsPerFile) + 1);
    return found[photo % index.recordsPerFile];
  };

  // Filters

  const where = (test) => {
    const found = [];
    for (let photo = 0; photo < index.photos; photo += 1) if (test(photo)) found.push(photo);
    return found;
  };
  const marked = (mark) => where((photo) => Number(index.marks[photo]) & mark);
  const ranked = (sign) => {
    const measured = where((photo) => index.colourfulness[photo] >= 0);
    return measured.sort((a, b) => sign * (index.colourfulness[a] - index.colourfulness[b]) || a - b);
  };
  const isDone = (key) => DONE.includes(key);

  const FILTERS = {
    all: { label: "All", count: () => index.photos, pick: () => null },
    rejected: {
      label: "Rejected",
      count: () => index.summary.rejected,
      pick: () => where((photo) => !isDone(index.keys[index.outcomes[photo]])),
    },
    colour: { label: "Already in colour", count: () => index.summary.inColour, pick: () => marked(IN_COLOUR) },
    most: { label: "Most colourful", count: () => null, pick: () => ranked(-1) },
    least: { label: "Least colourful", count: () => null, pick: () => ranked(1) },
    warnings: { label: "Warnings", count: () => index.summary.warned, pick: () => marked(WARNED) },
  };
  const OUTCOME = "outcome:";

  const picked = (filter) => {
    if (filter.startsWith(OUTCOME)) {
      const code = index.keys.indexOf(filter.slice(OUTCOME.length));
      return where((photo) => index.outcomes[photo] === code);
    }
    return FILTERS[filter].pick();
  };

  const folded = (text) => text.normalize("NFC").toLowerCase();

  const matching = async (text, ticket) => {
    const hits = new Uint8Array(index.photos);
    const wanted = folded(text);
    for (let start = 0, number = 1; start < index.photos; start += index.namesPerFile, number += 1) {
      const some = await names.get(number);
      if (ticket !== choosing) return hits;
      some.forEach((name, place) => { hits[start + place] = folded(name).includes(wanted) ? 1 : 0; });
      if (index.photos > index.namesPerFile) {
        byId("status").textContent = `Searching, ${COUNT.format(start + some.length)} of ${COUNT.format(index.photos)} names`;
      }
    }
    return hits;
  };

  const choose = async () => {
    choosing += 1;
    const ticket = choosing;
    let found = picked(state.filter);
    if (state.text) {
      const hits = await matching(state.text, ticket);
      found = (found ?? where(() => true)).filter((photo) => hits[photo]);
    }
    if (ticket !== choosing) return;
    shown = found;
    drawFilters();
    await draw();
  };

  const total = () => (shown ? shown.length : index.photos);
  const photoAt = (place) => (shown ? shown[place] : place);
  const lastPage = () => Math.max(0, Math.ceil(total() / PHOTOS_PER_PAGE) - 1);

  // The address holds what is shown, so that it can be bookmarked and gone back to.

  const remember = () => {
    const said = new URLSearchParams();
    if (state.filter !== "all") said.set("show", state.filter);
    if (state.text) said.set("name", state.text);
    if (state.page) said.set("page", String(state.page + 1));
    const hash = `#${said}`;
    if (hash !== (location.hash || "#")) history.pushState(null, "", hash);
  };

  const recall = () => {
    const said = new URLSearchParams(location.hash.slice(1));
    const filter = said.get("show") ?? "all";
    const isOutcome = filter.startsWith(OUTCOME) && index.keys.includes(filter.slice(OUTCOME.length));
    state.filter = Object.hasOwn(FILTERS, filter) || isOutcome ? filter : "all";
    state.text = said.get("name") ?? "";
    state.page = Math.max(0, (Number.parseInt(said.get("page"), 10) || 1) - 1);
    byId("search").value = state.text;
    return choose();
  };

  const change = (changes) => {
    Object.assign(state, { page: 0 }, changes);
    remember();
    return choose();
  };

  const turnTo = (page) => {
    state.page = Math.min(Math.max(0, page), lastPage());
    remember();
    return draw();
  };

  // The summary

  const words = (key) => (isDone(key) ? key : `rejected: ${key.replaceAll("_", " ")}`);
  const kind = (key) => (key === "written" ? "written" : isDone(key) ? "done" : "rejected");

  const drawSummary = () => {
    const { summary } = index;
    document.title = `${index.title} · Autochrome report`;
    byId("title").textContent = index.title;
    const sum = summary.outcomes.map(([, number]) => COUNT.format(number)).join(" + ") || "0";
    const photos = `${COUNT.format(index.photos)} ${index.photos === 1 ? "photo" : "photos"} in, one outcome each`;
    byId("lead").textContent = summary.outcomes.length > 1 ? `${photos}: ${sum} = ${COUNT.format(index.photos)}` : photos;
    const inColourNow = summary.outcomes.find(([key]) => key === "written")?.[1] ?? 0;
    for (const [name, value] of [
      ["photos", COUNT.format(index.photos)],
      ["in colour now", COUNT.format(inColourNow)],
      ["rejected", COUNT.format(summary.rejected)],
      ["in colour already", COUNT.format(summary.inColour)],
      ["megapixels", FIGURE.format(summary.megapixels)],
      ["written", bytes(summary.bytesOut)],
    ]) {
      byId("figures").append(make("div", {}, make("dt", {}, name), make("dd", {}, value)));
    }
    const body = byId("outcomes").tBodies[0];
    for (const [key, number] of summary.outcomes) {
      byId("outcomes-bar").append(make("span", { class: kind(key), style: `flex:${number} 0 0` }));
      const button = make("button", { type: "button", onclick: () => show(OUTCOME + key) }, words(key));
      body.append(make("tr", {}, make("th", { scope: "row" }, make("span", { class: `dot ${kind(key)}` }), button),
        make("td", {}, COUNT.format(number))));
    }
    byId("outcomes").tFoot.append(make("tr", {}, make("th", { scope: "row" }, "all"),
      make("td", {}, COUNT.format(index.photos))));
    drawColours(summary);
    drawTimes(summary);
  };

  const drawColours = (summary) => {
    const most = Math.max(1, ...summary.histogram);
    const measured = summary.histogram.reduce((a, b) => a + b, 0);
    const last = summary.histogram.length - 1;
    summary.histogram.forEach((number, bin) => {
      const from = bin * summary.binWidth;
      const range = bin === last ? `${from} and more` : `${from} to ${from + summary.binWidth}`;
      byId("histogram").append(make("span", { style: `height:${(100 * number) / most}%`, title: `${range}: ${COUNT.format(number)}` }));
    });
    const peak = summary.histogram.indexOf(most) * summary.binWidth;
    byId("histogram").setAttribute("aria-label", measured
      ? `Colourfulness of ${COUNT.format(measured)} photos; most lie between ${peak} and ${peak + summary.binWidth}`
      : "No photo was measured");
    for (const [tone, label] of Object.entries(TONES)) {
      if (summary.tones[tone]) pair(byId("tones"), label, `${COUNT.format(summary.tones[tone])} of the scans`);
    }
  };

  const drawTimes = (summary) => {
    const all = summary.seconds.reduce((sum, [, seconds]) => sum + seconds, 0);
    const body = byId("times").tBodies[0];
    for (const [stage, seconds] of summary.seconds) {
      const share = `${((100 * seconds) / (all || 1)).toFixed(0)} %`;
      body.append(make("tr", {}, make("th", { scope: "row" }, stage),
        make("td", { class: "meter" }, make("span", { style: `width:${(100 * seconds) / (all || 1)}%`, title: share })),
        make("td", {}, `${FIGURE.format((1000 * seconds) / summary.timed)} ms`)));
    }
    const made = byId("made");
    if (all) pair(made, "each photo", `${FIGURE.format((1000 * all) / summary.timed)} ms on one core`);
    if (summary.madeWith.model) pair(made, "model", summary.madeWith.model);
    if (summary.madeWith.model_digest) pair(made, "digest", summary.madeWith.model_digest.slice(0, 16));
    for (const [name, value] of Object.entries(summary.madeWith.settings ?? {})) {
      pair(made, name.replaceAll("_", " "), String(value));
    }
  };

  // The grid

  const show = (filter) => {
    document.querySelector(".photos").scrollIntoView();
    return change({ filter });
  };

  const drawFilters = () => {
    const list = Object.entries(FILTERS).map(([filter, { label, count }]) => [filter, label, count()]);
    if (state.filter.startsWith(OUTCOME)) {
      const key = state.filter.slice(OUTCOME.length);
      list.push([state.filter, words(key), index.summary.outcomes.find(([other]) => other === key)[1]]);
    }
    const focused = document.activeElement?.dataset.filter;
    byId("filters").replaceChildren(...list.map(([filter, label, count]) => make("button", {
      type: "button",
      "data-filter": filter,
      "aria-pressed": String(filter === state.filter),
      disabled: count === 0 && filter !== state.filter && filter !== "all",
      onclick: () => change({ filter }),
    }, label, count === null ? null : make("span", { class: "count" }, COUNT.format(count)))));
    if (focused) byId("filters").querySelector(`[data-filter="${CSS.escape(focused)}"]`)?.focus();
  };

  const baseName = (path) => path.slice(path.lastIndexOf("/") + 1);

  const tile = (record, place) => {
    const page = record.pages?.[0] ?? {};
    const id = page.after ?? page.before;
    const base = baseName(record.name);
    const folder = record.name.slice(0, record.name.length - base.length);
    const picture = id
      ? make("img", { src: thumbnail(id), loading: "lazy", decoding: "async", alt: page.after ? `In colour: ${base}` : `As it was: ${base}` })
      : make("span", { class: "none" }, record.status === "rejected" ? words(record.reason) : "no picture");
    const badges = [];
    if (record.status === "rejected" && id) badges.push(words(record.reason));
    if (["kept", "copied", "skipped"].includes(record.status)) badges.push(record.status);
    if ((record.pages ?? []).some(({ tone }) => tone === "color")) badges.push("was in colour");
    if (record.pages?.length > 1) badges.push(`${record.pages.length} pages`);
    if (record.warnings) badges.push("warning");
    return make("li", {}, make("button", { type: "button", class: "tile", title: record.name, onclick: () => view(place) },
      make("span", { class: "frame" }, picture,
        badges.length ? make("span", { class: "badges" }, ...badges.map((text) => make("span", { class: "badge" }, text))) : null),
      make("span", { class: "name" }, base),
      folder ? make("span", { class: "folder" }, folder) : null));
  };

  const draw = async () => {
    showing += 1;
    const ticket = showing;
    state.page = Math.min(state.page, lastPage());
    const from = state.page * PHOTOS_PER_PAGE;
    const to = Math.min(from + PHOTOS_PER_PAGE, total());
    const grid = byId("grid");
    grid.setAttribute("aria-busy", "true");
    let records;
    try {
      records = await Promise.all(Array.from({ length: to - from }, (_, place) => row(photoAt(from + place))));
    } catch (error) {
      byId("status").textContent = `${error.message} is missing; make the page again with: autochrome report`;
      return;
    }
    if (ticket !== showing) return;
    grid.replaceChildren(...records.map((record, place) => tile(record, from + place)));
    grid.setAttribute("aria-busy", "false");
    byId("nothing").hidden = total() > 0;
    byId("status").textContent = total()
      ? `${COUNT.format(from + 1)} to ${COUNT.format(to)} of ${COUNT.format(total())} photos`
      : "0 photos";
    document.querySelectorAll(".pager").forEach(drawPager);
  };

  const drawPager = (pager) => {
    pager.hidden = lastPage() === 0;
    const focused = pager.contains(document.activeElement) ? document.activeElement.dataset.step : undefined;
    const button = (step, label, text, page) => make("button", {
      type: "button", "data-step": step, "aria-label": label, disabled: page < 0 || page > lastPage() || page === state.page,
      onclick: async () => {
        await turnTo(page);
        if (pager.classList.contains("below")) document.querySelector(".photos").scrollIntoView();
      },
    }, text);
    const field = make("input", { type: "number", "data-step": "field", min: 1, max: lastPage() + 1, value: state.page + 1, "aria-label": "Page" });
    field.addEventListener("change", () => turnTo((Number.parseInt(field.value, 10) || 1) - 1));
    pager.replaceChildren(
      button("first", "First page", "«", 0), button("back", "Previous page", "‹", state.page - 1),
      make("label", {}, "page", field, `of ${COUNT.format(lastPage() + 1)}`),
      button("on", "Next page", "›", state.page + 1), button("last", "Last page", "»", lastPage()));
    if (focused) pager.querySelector(`[data-step="${focused}"]:enabled`)?.focus();
  };

  // One photo

  const view = async (place) => {
    const record = await row(photoAt(place));
    open = { at: place, row: record, leaf: 0 };
    byId("viewer-name").textContent = record.name;
    byId("place").textContent = `${COUNT.format(place + 1)} of ${COUNT.format(total())}`;
    byId("previous").disabled = place === 0;
    byId("next").disabled = place + 1 >= total();
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
    if (page.file) pair(facts, "photo", make("a", { href: address(page.file), target: "_blank", rel: "noopener" }, page.file));
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

  const closed = () => {
    const page = Math.floor(open.at / PHOTOS_PER_PAGE);
    const focus = () => byId("grid").querySelectorAll(".tile")[open.at % PHOTOS_PER_PAGE]?.focus();
    if (page === state.page) focus();
    else turnTo(page).then(focus);
  };

  const start = () => {
    byId("slider").addEventListener("input", (event) => slideTo(Number(event.target.value)));
    byId("close").addEventListener("click", () => byId("viewer").close());
    byId("viewer").addEventListener("close", closed);
    byId("viewer").addEventListener("click", (event) => { if (event.target === byId("viewer")) byId("viewer").close(); });
    byId("previous").addEventListener("click", () => view(open.at - 1));
    byId("next").addEventListener("click", () => view(open.at + 1));
    byId("leaf-back").addEventListener("click", () => turnLeaf(-1));
    byId("leaf-on").addEventListener("click", () => turnLeaf(1));
    let typing;
    byId("search").addEventListener("input", (event) => {
      clearTimeout(typing);
      typing = setTimeout(() => change({ text: event.target.value.trim() }), 200);
    });
    window.addEventListener("popstate", recall);
    drawSummary();
    return recall();
  };

  return {
    index: (told) => { index = told; start(); },
    rows: rows.put,
    names: names.put,
  };
})();
