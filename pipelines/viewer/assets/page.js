"use strict";

// Which photos are shown: filters, search, pages, and the address that remembers them.
(() => {
  const { COUNT, baseName, byId, choosing, counted, figures, make, placed, rowsOf, setDone, thumbnail, viewer, wellFormed, words } = autochrome;
  const PHOTOS_PER_PAGE = 60;

  const state = { filter: "all", text: "", page: 0, photo: "" }; // photo: name of the one that is open
  let index;
  let shown; // the choice, see choosing.js
  let showing = 0;
  let chosen = 0;
  let returning = null; // place of a photo that was closed, until its tile is focused

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
      byId("status").textContent = missing(error);
      return;
    }
    if (ticket !== chosen) return;
    shown = found;
    drawFilters();
    await draw();
  };

  const missing = (error) => `${error.message} is missing; make the page again with: autochrome report`;

  const total = () => shown.total;
  const rowAt = async (place) => row(await shown.at(place));
  const lastPage = () => Math.max(0, Math.ceil(total() / PHOTOS_PER_PAGE) - 1);

  // The address holds what is shown, so that it can be bookmarked and gone back to.

  const entitle = () => {
    document.title = [state.photo, index.title, "Autochrome report"].filter(Boolean).join(" · ");
  };

  // replace: without a step to go back to; opened: a step that closing the photo goes back from.
  const remember = ({ replace = false, opened = false } = {}) => {
    entitle();
    const said = new URLSearchParams();
    if (state.filter !== "all") said.set("show", state.filter);
    if (state.text) said.set("name", state.text);
    if (state.page) said.set("page", String(state.page + 1));
    if (state.photo) said.set("photo", state.photo);
    const hash = `#${said}`;
    if (hash === (location.hash || "#")) return;
    if (replace) history.replaceState(history.state, "", hash);
    else history.pushState({ opened }, "", hash);
  };

  const recall = async () => {
    const said = new URLSearchParams(location.hash.slice(1));
    const asked = said.get("show") ?? "all";
    const isOutcome = asked.startsWith(OUTCOME) && index.keys.includes(asked.slice(OUTCOME.length));
    const filter = Object.hasOwn(FILTERS, asked) || isOutcome ? asked : "all";
    const text = said.get("name") ?? "";
    const page = Math.max(0, (Number.parseInt(said.get("page"), 10) || 1) - 1);
    const isSame = shown && filter === state.filter && text === state.text;
    const isSamePage = page === state.page;
    Object.assign(state, { filter, text, page, photo: said.get("photo") ?? "" });
    entitle();
    if (!isSame) {
      byId("search").value = text;
      await choose();
    } else if (!isSamePage) await draw();
    await reopen();
  };

  // Shows the photo of the address, or none.
  const reopen = async () => {
    const { photo } = state;
    if (!photo) {
      viewer.close();
      if (returning !== null) await focusOn(returning);
      returning = null;
      return;
    }
    if (!shown || viewer.isOpenAt(photo)) return;
    let place;
    try {
      place = await choosing.placeOf(index, shown, photo);
    } catch (error) {
      byId("status").textContent = missing(error);
      return;
    }
    if (photo !== state.photo) return;
    if (place >= 0) await viewer.show(place);
    else {
      state.photo = "";
      entitle();
      byId("status").textContent = `${photo} is not among these photos`;
    }
  };

  const change = async (changes, how) => {
    Object.assign(state, { page: 0 }, changes);
    remember(how);
    await choose();
    toTop();
  };

  // To the first photo of another list, for those who have scrolled past it.
  const toTop = () => {
    const photos = document.querySelector(".photos");
    if (photos.getBoundingClientRect().top < 0) photos.scrollIntoView();
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
    if (focused) byId("filters").querySelector(`[data-filter="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
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
      if (ticket === showing) drawn([], missing(error));
      return;
    }
    if (ticket !== showing) return;
    const range = to - from === 1 ? COUNT.format(to) : `${COUNT.format(from + 1)} to ${COUNT.format(to)}`;
    const all = counted(total(), "photo");
    drawn(records.map((record, place) => tile(record, from + place)), total() > 1 ? `${range} of ${all}` : all);
  };

  const drawn = (tiles, said) => {
    byId("grid").replaceChildren(...tiles);
    byId("grid").setAttribute("aria-busy", "false");
    byId("nothing").hidden = total() > 0;
    const chosenFrom = state.filter === "all" ? "" : " of these photos";
    byId("nothing-said").textContent = state.text ? `No name${chosenFrom} has “${state.text}” in it.` : "No photo here.";
    byId("show-all").hidden = state.filter === "all" && !state.text;
    byId("status").textContent = said;
    document.querySelectorAll(".pager").forEach(drawPager);
  };

  const drawPager = (pager) => {
    pager.hidden = lastPage() === 0;
    const focused = pager.contains(document.activeElement) ? document.activeElement.dataset.step : undefined;
    const button = (step, label, text, page) => make("button", {
      type: "button", "data-step": step, "aria-label": label, disabled: page < 0 || page > lastPage() || page === state.page,
      onclick: async () => {
        await turnTo(page);
        toTop();
      },
    }, text);
    const field = make("input", { type: "number", "data-step": "field", min: 1, max: lastPage() + 1, value: state.page + 1, "aria-label": "Page" });
    field.addEventListener("change", async () => {
      await turnTo((Number.parseInt(field.value, 10) || 1) - 1);
      toTop();
    });
    pager.replaceChildren(
      button("first", "First page", "«", 0), button("back", "Previous page", "‹", state.page - 1),
      make("label", {}, "page", field, `of ${COUNT.format(lastPage() + 1)}`),
      button("on", "Next page", "›", state.page + 1), button("last", "Last page", "»", lastPage()));
    if (focused) (pager.querySelector(`[data-step="${focused}"]:enabled`) ?? field).focus({ preventScroll: true });
  };

  const focusOn = async (place) => {
    const page = Math.floor(place / PHOTOS_PER_PAGE);
    if (page !== state.page) await turnTo(page);
    byId("grid").querySelectorAll(".tile")[place % PHOTOS_PER_PAGE]?.focus();
  };

  // The viewer shows a photo: the first is a step, those that somebody goes on to are not.
  const entered = (name) => {
    const replace = Boolean(state.photo);
    state.photo = wellFormed(name);
    remember({ replace, opened: true });
  };

  // The viewer was closed at a place.
  const left = (place) => {
    if (state.photo && history.state?.opened) {
      returning = place;
      history.back();
      return;
    }
    state.photo = "";
    remember({ replace: true });
    focusOn(place);
  };

  autochrome.index = (told) => {
    index = told;
    placed(index.place);
    setDone(index.done);
    figures.draw(index, (key) => show(OUTCOME + key));
    viewer.start({ total, at: rowAt, missing, entered, left });
    byId("main").hidden = false;
    byId("show-all").addEventListener("click", () => {
      byId("search").value = "";
      byId("search").focus();
      change({ filter: "all", text: "" });
    });
    let typing;
    byId("search").addEventListener("input", (event) => {
      clearTimeout(typing);
      typing = setTimeout(() => change({ text: event.target.value.trim() }, { replace: Boolean(state.text) }), 200);
    });
    window.addEventListener("popstate", recall);
    return recall();
  };
})();
