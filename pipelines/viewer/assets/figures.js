"use strict";

// The summary: figures, outcomes, how colourful, where the time went.
autochrome.figures = (() => {
  const { TONES, COUNT, FIGURE, byId, bytes, counted, duration, isDone, make, pair, words } = autochrome;
  // Hasler and Süsstrunk's words for their scale.
  const SCALE = { 0: "grey", 15: "slightly", 33: "moderately", 59: "quite", 82: "highly" };

  const kind = (key) => (key === "written" ? "written" : isDone(key) ? "done" : "rejected");

  // show(key) is called for the outcome that somebody asks for.
  const draw = (index, show) => {
    const { summary } = index;
    byId("title").textContent = index.title;
    const sum = summary.outcomes.map(([, number]) => COUNT.format(number)).join(" + ") || "0";
    const photos = `${counted(index.photos, "photo")} in, one outcome each`;
    byId("lead").textContent = summary.outcomes.length > 1 ? `${photos}: ${sum} = ${COUNT.format(index.photos)}` : photos;
    const colorized = summary.outcomes.find(([key]) => key === "written")?.[1] ?? 0;
    for (const [name, value] of [
      ["photos", COUNT.format(index.photos)],
      ["colorized", COUNT.format(colorized)],
      ["rejected", COUNT.format(summary.rejected)],
      ["already in colour", COUNT.format(summary.inColour)],
      ["megapixels", FIGURE.format(summary.megapixels)],
      ["written", bytes(summary.bytesOut)],
    ]) {
      byId("figures").append(make("div", {}, make("dt", {}, name), make("dd", {}, value)));
    }
    const body = byId("outcomes").tBodies[0];
    for (const [key, number] of summary.outcomes) {
      byId("outcomes-bar").append(make("span", { class: kind(key), style: `flex:${number} 0 0` }));
      const button = make("button", { type: "button", onclick: () => show(key) }, words(key));
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
    const highest = summary.histogram.indexOf(most);
    const peak = highest * summary.binWidth;
    const range = highest === last ? `at ${peak} or more` : `between ${peak} and ${peak + summary.binWidth}`;
    byId("histogram").setAttribute("aria-label", measured
      ? `Colourfulness of ${counted(measured, "photo")}; the highest bar is ${counted(most, "photo")} ${range}`
      : "No photo was measured");
    for (const [value, word] of Object.entries(SCALE)) {
      byId("scale").append(make("span", { style: `left:${(100 * value) / (summary.histogram.length * summary.binWidth)}%` }, word));
    }
    for (const [tone, label] of Object.entries(TONES)) {
      if (summary.tones[tone]) pair(byId("tones"), label, counted(summary.tones[tone], "picture"));
    }
  };

  const drawTimes = (summary) => {
    const all = summary.seconds.reduce((sum, [, seconds]) => sum + seconds, 0);
    const body = byId("times").tBodies[0];
    for (const [stage, seconds] of summary.seconds) {
      const share = `${((100 * seconds) / (all || 1)).toFixed(0)} %`;
      body.append(make("tr", {}, make("th", { scope: "row" }, stage),
        make("td", { class: "meter" }, make("span", { class: "length", style: `width:${(100 * seconds) / (all || 1)}%`, title: share }),
          make("span", { class: "unseen" }, share)),
        make("td", {}, duration((1000 * seconds) / summary.timed))));
    }
    byId("times").hidden = !summary.timed;
    byId("times").tFoot.append(make("tr", {}, make("th", { scope: "row" }, "all"), make("td", {}),
      make("td", {}, duration((1000 * all) / (summary.timed || 1)))));
    const made = byId("made");
    if (summary.madeWith.model) pair(made, "model", summary.madeWith.model);
    if (summary.madeWith.model_digest) pair(made, "digest", summary.madeWith.model_digest.slice(0, 16));
    const settings = Object.entries(summary.madeWith.settings ?? {});
    byId("settings-room").hidden = settings.length === 0;
    for (const [name, value] of settings) pair(byId("settings"), name.replaceAll("_", " "), value === "" ? "none" : String(value));
  };

  return { draw };
})();
