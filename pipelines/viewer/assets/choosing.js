"use strict";

// Which photos a filter and a search choose. A choice has the number of its photos, and loads the files that hold those
// that are asked for: the index has only the number of photos of each outcome and mark by file.
autochrome.choosing = (() => {
  const { columnsOf, isDone, namesOf, rankedOf, wellFormed, wordsOf } = autochrome;
  const IN_COLOUR = 1;
  const WARNED = 2;
  const LONGEST_WORD = 64;
  const MOST = 1;
  const LEAST = 2;

  const listed = (photos) => ({ total: photos.length, at: async (place) => photos[place], photos: async () => photos });

  const everything = (index) => ({ total: index.photos, at: async (place) => place });

  const sum = (lists) => lists.reduce((all, list) => all.map((number, file) => number + list[file]), lists[0].map(() => 0));

  // counts: how many photos of each file pass; test(columns, place) says whether one does.
  const tested = (index, counts, test) => {
    const starts = [0];
    for (const number of counts) starts.push(starts.at(-1) + number);
    const found = new Map();
    const ofFile = (file) => {
      if (!found.has(file)) {
        found.set(file, columnsOf(file + 1).then((columns) => {
          const places = [];
          for (let place = 0; place < columns.outcomes.length; place += 1) if (test(columns, place)) places.push(place);
          return places;
        }));
      }
      return found.get(file);
    };
    const at = async (place) => {
      let low = 0;
      let high = counts.length - 1;
      while (low < high) { // the last file that starts at or before the place
        const middle = Math.ceil((low + high) / 2);
        if (starts[middle] <= place) low = middle;
        else high = middle - 1;
      }
      return index.namesPerFile * low + (await ofFile(low))[place - starts[low]];
    };
    return { total: starts.at(-1), at, test };
  };

  const marked = (index, counts, mark) => tested(index, counts, ({ marks }, place) => Number(marks[place]) & mark);

  const withOutcomes = (index, wanted) => {
    const codes = new Set(index.keys.flatMap((key, code) => (wanted(key) ? [code] : [])));
    const none = index.counts.inColour.map(() => 0);
    const counts = sum([none, ...[...codes].map((code) => index.counts.outcomes[code])]);
    return tested(index, counts, ({ outcomes }, place) => codes.has(outcomes[place]));
  };

  const FILTERS = {
    all: everything,
    rejected: (index) => withOutcomes(index, (key) => !isDone(key)),
    colour: (index) => marked(index, index.counts.inColour, IN_COLOUR),
    most: async () => listed(await rankedOf(MOST)),
    least: async () => listed(await rankedOf(LEAST)),
    warnings: (index) => marked(index, index.counts.warned, WARNED),
  };

  // Search

  // Without accents, as search_index.py has the words.
  const folded = (text) =>
    text.normalize("NFC").toLowerCase().normalize("NFD").replaceAll(/[\u0300-\u036f]/g, "").normalize("NFC");

  const wordsIn = (text) =>
    [...new Set((folded(text).match(/[\p{L}\p{N}]+/gu) ?? []).map((word) => Array.from(word).slice(0, LONGEST_WORD).join("")))];

  const crc32 = (text) => {
    let crc = -1;
    for (const byte of new TextEncoder().encode(text)) {
      crc ^= byte;
      for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
    }
    return ~crc >>> 0;
  };

  // Numbers of the files of names that have all words of a text.
  const filesWith = async (index, text) => {
    const words = wordsIn(text);
    const found = await Promise.all(words.map(async (word) => {
      const known = await wordsOf((crc32(word) % index.wordFiles) + 1);
      return new Set(Object.hasOwn(known, word) ? known[word] : []);
    }));
    const [first, ...rest] = found;
    return [...(first ?? [])].filter((number) => rest.every((numbers) => numbers.has(number)));
  };

  const within = async (index, numbers, text, progress) => {
    const wanted = folded(text);
    const found = [];
    for (const number of numbers) {
      const names = await namesOf(number); // oxlint-disable-line no-await-in-loop -- names of one file at a time stay in memory
      names.forEach((name, place) => { if (folded(name).includes(wanted)) found.push((number - 1) * index.namesPerFile + place); });
      if (!progress(number)) return found;
    }
    return found;
  };

  // Photos whose names include a text; progress(number) is told each file of names, and returns whether to go on.
  const matching = async (index, text, progress) => {
    if (index.wordFiles) {
      const found = await within(index, await filesWith(index, text), text, progress);
      if (found.length) return found;
    }
    const all = Array.from({ length: Math.ceil(index.photos / index.namesPerFile) }, (_, file) => file + 1);
    return within(index, all, text, progress);
  };

  const passing = async (index, test, photos) => {
    const found = [];
    for (const photo of photos) {
      const columns = await columnsOf(Math.floor(photo / index.namesPerFile) + 1); // oxlint-disable-line no-await-in-loop -- mostly the same file
      if (test(columns, photo % index.namesPerFile)) found.push(photo);
    }
    return found;
  };

  // Of a choice, the photos whose names include a text.
  const searched = async (index, choice, text, progress) => {
    const hits = await matching(index, text, progress);
    if (choice.test) return listed(await passing(index, choice.test, hits));
    if (!choice.photos) return listed(hits);
    const known = new Set(hits);
    return listed((await choice.photos()).filter((photo) => known.has(photo)));
  };

  // Number of the photo of a name, or -1. In an address, a name has U+FFFD for each byte that is not UTF-8.
  const numberOf = async (index, name) => {
    const all = Array.from({ length: Math.ceil(index.photos / index.namesPerFile) }, (_, file) => file + 1);
    const numbers = index.wordFiles && wordsIn(name).length ? await filesWith(index, name) : all;
    for (const number of numbers) {
      const names = await namesOf(number); // oxlint-disable-line no-await-in-loop -- the first file that has it
      const place = names.findIndex((other) => wellFormed(other) === name);
      if (place >= 0) return (number - 1) * index.namesPerFile + place;
    }
    return -1;
  };

  // Place of the photo of a name in a choice, or -1. Choices without a list are in the order of the photos' numbers.
  const placeOf = async (index, choice, name) => {
    const photo = await numberOf(index, name);
    if (choice.photos) return (await choice.photos()).indexOf(photo);
    let low = 0;
    let high = choice.total - 1;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if (await choice.at(middle) < photo) low = middle + 1; // oxlint-disable-line no-await-in-loop -- a binary search
      else high = middle;
    }
    return choice.total && (await choice.at(low)) === photo ? low : -1;
  };

  return { filters: FILTERS, withOutcomes, searched, placeOf };
})();
