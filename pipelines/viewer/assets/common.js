"use strict";

// What the parts of the page share. Texts from the folder (names, details, warnings) are only ever put into text nodes and
// attributes that run nothing.
const autochrome = (() => {
  const FILES_KEPT = 400;
  const TONES = { grayscale: "grey", near_gray: "almost grey", toned: "toned", color: "already in colour" };
  const COUNT = new Intl.NumberFormat("en");
  const FIGURE = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });

  const byId = (id) => document.getElementById(id);

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

  const counted = (number, noun) => `${COUNT.format(number)} ${number === 1 ? noun : `${noun}s`}`;

  const duration = (ms) => (ms < 1000 ? `${FIGURE.format(ms)} ms` : `${FIGURE.format(ms / 1000)} s`);

  // A path as an address. Bytes of a name that are not UTF-8 came as lone surrogates DC80 to DCFF.
  const address = (path) =>
    Array.from(path, (char) => {
      const code = char.codePointAt(0);
      if (code >= 0xdc80 && code <= 0xdcff) return `%${(code - 0xdc00).toString(16)}`;
      return char === "/" ? char : encodeURIComponent(code >= 0xd800 && code <= 0xdfff ? "\ufffd" : char);
    }).join("");

  let place = ""; // of the photos: an address before their paths, where they are not beside the page
  const placed = (at) => { place = at; };
  const photo = (path) => place + address(path);

  const thumbnail = (id) => `report/thumbnails/${id.slice(0, 2)}/${id.slice(2)}.jpg`;

  // A name as an address can hold it.
  const wellFormed = (name) => name.replace(/\p{Surrogate}/gu, "\ufffd");

  const baseName = (path) => path.slice(path.lastIndexOf("/") + 1);
  let done = new Set(); // outcomes that are not rejections
  const setDone = (keys) => { done = new Set(keys); };
  const isDone = (key) => done.has(key);
  const words = (key) => (isDone(key) ? key : `rejected: ${key.replaceAll("_", " ")}`);

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
            script.addEventListener("load", () => { waiting.delete(number); script.remove(); });
            script.addEventListener("error", () => {
              loaded.delete(number);
              script.remove();
              reject(new Error(script.src));
            });
            document.head.append(script);
          }));
        }
        return loaded.get(number);
      },
    };
  };
  const rows = files("data");
  const columns = files("data/columns");
  const ranked = files("data/ranked");
  const names = files("names");
  const wordFiles = files("names/words");

  return {
    TONES, COUNT, FIGURE,
    address, baseName, byId, bytes, counted, duration, isDone, setDone, make, pair, photo, placed, thumbnail, wellFormed, words,
    rowsOf: rows.get, columnsOf: columns.get, rankedOf: ranked.get, namesOf: names.get, wordsOf: wordFiles.get,
    // called by the files of data; the page's own `words` makes an outcome readable
    rows: rows.put, columns: columns.put, ranked: ranked.put, names: names.put, found: wordFiles.put,
  };
})();
