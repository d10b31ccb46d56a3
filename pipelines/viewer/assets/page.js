"use strict";

// Which photos are shown: filters, search, pages, and the address that remembers them.
(() => {
  const { COUNT, baseName, byId, choosing, figures, make, placed, rowsOf, setDone, thumbnail, viewer, words } = autochrome;
  const PHOTOS_PER_PAGE = 60;

  const state = { filter: "all", text: "", page: 0 };
  let index;
  let shown; // the choice, see choosing.js
  let showing = 0;
  let chosen = 0;

  const row = async (photo) => {
    const found = await rowsOf(Math.floor(photo / index.recordsPerFile) + 1);
    return found[photo % index.recordsPerFile];
  };

  // Filters

  const FILTERS = {
    all: { label: "All", count: () => index.photos },
    rejected: { label: "Rejected", count: () => index.summary.rejected },
    colour: { label: "Already in colour", count: () => index.summary.inColour },
    most: { label: "Most colourful", count: () => null },
    least: { label: "Least colourful", count: () => null },
    warnings: { label: "Warnings", count: () => index.summary.warned },
  };
  const OUTCOME = "outcome:";

  const picked = (filter) => {
    if (!filter.startsWith(OUTCOME)) return choosing.filters[filter](index);
    return choosing.withOutcomes(index, (key) => key === filter.slice(OUTCOME.length));
  };

  const choose = async () => {
    chosen += 1;
    const ticket = chosen;
    let looked = 0;
    const progress = () => {
      looked += index.namesPerFile;
      if (index.photos > index.namesPerFile) {
        byId("status").textContent = `Searching, ${COUNT.format(Math.min(looked, index.photos))} of ${COUNT.format(index.photos)} names`;
      }
      return ticket === chosen;
    };
    let found;
    try {
      found = await picked(state.filter);
      if (state.text) found = await choosing.searched(index, found, state.text, progress);
    } catch (error) {
      isMissing(error);
      return;
    }
    if (ticket !== chosen) return;
    shown = found;
    drawFilters();
    await draw();
  };

  const isMissing = (error) => {
    byId("status").textContent = `${error.message} is missing; make the page again with: autochrome report`;
  };

  const total = () => shown.total;
  const rowAt = async (place) => row(await shown.at(place));
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

  const tile = (record, place) => {
    const page = record.pages?.[0] ?? {};
    const id = page.after ?? page.before;
    const base = baseName(record.name);
    const folder = record.name.slice(0, record.name.length - base.length);
    const picture = id
      ? make("img", { src: thumbnail(id), loading: "lazy", decoding: "async", alt: page.after ? `In colour: ${base}` : `As it was: ${base}` })
      : make("span", { class: "none" }, record.status === "rejected" ? words(record.reason) : "no picture");
    const badges = [];
    if (["copied", "skipped"].includes(record.status)) badges.push(`in colour, ${record.status}`);
    else if ((record.pages ?? []).some(({ tone }) => tone === "color")) badges.push("was in colour");
    if (record.status === "kept") badges.push("kept");
    if (record.pages?.length > 1) badges.push(`${record.pages.length} pages`);
    if (record.warnings) badges.push("warning");
    return make("li", {}, make("button", { type: "button", class: "tile", title: record.name, onclick: () => viewer.show(place) },
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
      records = await Promise.all(Array.from({ length: to - from }, (_, place) => rowAt(from + place)));
    } catch (error) {
      isMissing(error);
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

  const left = (place) => {
    const page = Math.floor(place / PHOTOS_PER_PAGE);
    const focus = () => byId("grid").querySelectorAll(".tile")[place % PHOTOS_PER_PAGE]?.focus();
    if (page === state.page) focus();
    else turnTo(page).then(focus);
  };

  autochrome.index = (told) => {
    index = told;
    placed(index.place);
    setDone(index.done);
    figures.draw(index, (key) => show(OUTCOME + key));
    viewer.start({ total, at: rowAt }, left);
    let typing;
    byId("search").addEventListener("input", (event) => {
      clearTimeout(typing);
      typing = setTimeout(() => change({ text: event.target.value.trim() }), 200);
    });
    window.addEventListener("popstate", recall);
    return recall();
  };
})();
