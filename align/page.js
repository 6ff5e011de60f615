"use strict";
{
  const drawn = JSON.parse(document.getElementById("drawn").textContent);
  const { kinds, colours } = drawn;
  const sound = document.getElementById("sound");
  const timeline = document.getElementById("timeline");
  const sung = document.getElementById("sung");
  // A row from its head to its foot, pixels: level, what is told of a bar, bar, words in lanes.
  const LEVEL = 56, TOLD = 67, BAR = 71, BAR_HEIGHT = 16, LANES = [100, 113, 126], HEIGHT = 148;
  const clock = (s) => {
    const pad = (n) => String(n).padStart(2, "0"), m = Math.floor(s / 60);
    return (m < 60 ? m : Math.floor(m / 60) + ":" + pad(m % 60)) + ":" + pad(Math.floor(s % 60));
  };

  // Words in the order of time, each with all that shows it: in the timeline and in the table.
  const words = [];
  drawn.utterances.forEach((utterance, u) => {
    const spans = document.querySelectorAll(`#u${u} .word`);
    let n = 0;
    utterance.lines.forEach((line) => line.words.forEach(([text, start, end]) => {
      words.push({ text, start, end, u, line, shown: [spans[n++]] });
    }));
  });
  words.sort((a, b) => a.start - b.start);

  // ---- the timeline

  const make = (parent, name, attributes, text) => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text !== undefined) made.textContent = text;
    parent.append(made);
    return made;
  };
  const measure = document.createElement("canvas").getContext("2d");
  measure.font = "11px system-ui, sans-serif";
  let rows = [], width = 0, seconds = 1;

  const curve = (svg, values, start, scale, look, closed) => {
    const first = Math.floor(start * drawn.rate);
    const shown = values.slice(first, first + Math.ceil(seconds * drawn.rate) + 1);
    if (!shown.length) return;
    const x = (i) => (((first + i + 0.5) / drawn.rate - start) * scale).toFixed(1);
    const points = shown.map((value, i) => `${x(i)} ${(LEVEL * (1 - value / 100)).toFixed(1)}`);
    const path = closed
      ? `M${x(0)} ${LEVEL}L${points.join("L")}L${x(shown.length - 1)} ${LEVEL}Z`
      : `M${points.join("L")}`;
    make(svg, "path", { d: path, ...look });
  };

  const bars = (svg, utterance, start, scale) => {
    const end = start + seconds;
    if (utterance.start >= end || utterance.end <= start) return;
    const pattern = `url(#kind-${kinds.indexOf(utterance.kind)})`;
    const bar = (from, to, look) => make(svg, "rect", {
      x: (from - start) * scale, y: BAR, width: Math.max(1, (to - from) * scale),
      height: BAR_HEIGHT, "data-start": from, ...look,
    });
    const timed = utterance.lines.some((line) => line.words.length);
    const edge = { stroke: "#1c2126", "stroke-width": 0.6 };
    bar(utterance.start, utterance.end, { fill: utterance.colour, "fill-opacity": 0.45, ...edge });
    for (const part of timed ? utterance.lines : [utterance]) {
      if (timed) bar(part.start, part.end, { fill: utterance.colour });
      bar(part.start, part.end, { fill: pattern, class: "bar-line", ...edge });
    }
    if (utterance.start >= start) {
      const told = utterance.score + (utterance.doubtful ? " ?" : "");
      make(svg, "text", {
        x: (utterance.start - start) * scale, y: TOLD, "data-start": utterance.start,
        class: utterance.doubtful ? "told doubtful" : "told",
      }, told);
    }
  };

  const written = (svg, start, scale) => {
    const free = LANES.map(() => 0);
    const put = (text, at) => {
      const x = (at - start) * scale, lane = free.findIndex((until) => until <= x);
      make(svg, "path", { d: `M${x} ${BAR}V${BAR + BAR_HEIGHT + 3}`, stroke: "#1c2126" });
      if (lane < 0) return null;
      let kept = text;
      while (kept.length > 2 && x + measure.measureText(kept).width > width) kept = kept.slice(0, -1);
      if (kept !== text) kept = kept.slice(0, -1) + "…";
      free[lane] = x + measure.measureText(kept).width + 5;
      return make(svg, "text", { x, y: LANES[lane], class: "word", "data-start": at }, kept);
    };
    const here = (at) => at >= start && at < start + seconds;
    const texts = words.filter((word) => here(word.start)).map((word) => [word.start, word.text, word]);
    for (const { lines, start: at } of drawn.utterances) {
      for (const line of lines) if (!line.words.length && here(at)) texts.push([at, line.text, null]);
    }
    texts.sort((a, b) => a[0] - b[0]);
    for (const [at, text, word] of texts) {
      const shown = put(text, at);
      if (shown && word) word.shown[1] = shown;
    }
  };

  const row = (start, scale) => {
    const svg = make(timeline, "svg", { class: "row", height: HEIGHT, "data-row": start });
    make(svg, "rect", { width: "100%", height: HEIGHT, fill: "#fff" });
    const step = [1, 5, 10, 30, 60].find((s) => s * scale >= 60);
    for (let at = Math.ceil(start / step) * step; at < start + seconds; at += step) {
      const x = (at - start) * scale;
      make(svg, "path", { d: `M${x} 0V${HEIGHT - 14}`, stroke: "#e8eaed" });
      make(svg, "text", { x: x + 2, y: HEIGHT - 5, class: "clock" }, clock(at));
    }
    curve(svg, drawn.level, start, scale, { fill: colours.level }, true);
    if (drawn.voice) {
      curve(svg, drawn.voice, start, scale, { fill: "none", stroke: colours.voice, "stroke-width": 1.3 });
    }
    for (const utterance of drawn.utterances) bars(svg, utterance, start, scale);
    written(svg, start, scale);
    const head = make(svg, "path", { class: "head", d: `M0 0V${HEIGHT - 14}`, visibility: "hidden" });
    return { svg, start, head };
  };

  const draw = () => {
    if (timeline.clientWidth === width) return;
    width = timeline.clientWidth;
    seconds = Math.min(30, Math.max(5, Math.round(width / 46)), Math.max(5, drawn.duration));
    timeline.replaceChildren();
    rows = [];
    words.forEach((word) => { word.shown.length = 1; });
    for (let start = 0; start < drawn.duration; start += seconds) rows.push(row(start, width / seconds));
    current = null;
    follow(false);
  };

  // ---- playing

  let current = null, last = null;
  const at = (time) => {
    let low = 0, high = words.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (words[middle].start <= time) low = middle + 1; else high = middle;
    }
    const word = words[low - 1];
    return word && time < word.end ? word : null;
  };

  const mark = (word) => {
    document.querySelectorAll(".now").forEach((one) => one.classList.remove("now"));
    sung.replaceChildren();
    if (!word) return;
    word.shown.forEach((one) => one.classList.add("now"));
    document.getElementById(`u${word.u}`).classList.add("now");
    word.line.words.forEach(([text, start]) => {
      const span = document.createElement("span");
      span.className = start === word.start ? "word now" : "word";
      span.dataset.start = start;
      span.textContent = text;
      sung.append(span, " ");
    });
  };

  const follow = (scroll) => {
    const time = sound.currentTime, word = at(time);
    if (word !== current) mark(current = word);
    const here = rows[Math.min(rows.length - 1, Math.floor(time / seconds))];
    if (!here) return;
    const x = (time - here.start) * width / seconds;
    here.head.setAttribute("transform", `translate(${x} 0)`);
    if (here === last) return;
    rows.forEach((one) => one.head.setAttribute("visibility", one === here ? "visible" : "hidden"));
    last = here;
    const box = here.svg.getBoundingClientRect();
    const hidden = box.top < 120 || box.bottom > window.innerHeight;
    if (scroll && hidden) here.svg.scrollIntoView({ block: "center" });
  };

  const play = (time) => {
    sound.currentTime = Math.max(0, Math.min(time, drawn.duration));
    sound.play().catch((error) => { if (error.name !== "AbortError") trouble(); });
  };
  const trouble = () => { document.getElementById("trouble").hidden = false; };
  const tick = () => {
    follow(true);
    if (!sound.paused) requestAnimationFrame(tick);
  };
  sound.addEventListener("play", tick);
  sound.addEventListener("seeked", () => follow(true));
  sound.addEventListener("error", trouble);

  document.addEventListener("click", (event) => {
    const named = event.target.closest("[data-start]"), inside = event.target.closest(".row");
    if (named) {
      play(Number(named.dataset.start));
    } else if (inside) {
      const box = inside.getBoundingClientRect();
      play(Number(inside.dataset.row) + (event.clientX - box.left) / box.width * seconds);
    }
  });

  const nextDoubtful = () => {
    const doubted = drawn.utterances.filter((one) => one.doubtful);
    return doubted.find((one) => one.start > sound.currentTime + 0.05) || doubted[0];
  };
  const keys = {
    " ": () => (sound.paused ? play(sound.currentTime) : sound.pause()),
    ArrowLeft: () => { sound.currentTime = Math.max(0, sound.currentTime - 2); },
    ArrowRight: () => { sound.currentTime = Math.min(drawn.duration, sound.currentTime + 2); },
    n: () => { const next = nextDoubtful(); if (next) play(next.start); },
  };
  document.addEventListener("keydown", (event) => {
    // A button, a box or the player that has the focus answers its keys itself.
    const own = event.target.closest("button, input, audio");
    const key = event.key.length > 1 ? event.key : event.key.toLowerCase();
    if (event.ctrlKey || event.metaKey || event.altKey || !(key in keys)) return;
    if (own && key !== "n") return;
    event.preventDefault();
    keys[key]();
  });

  const only = document.getElementById("only");
  if (only) only.addEventListener("change", () => {
    document.querySelector("table").classList.toggle("only-doubtful", only.checked);
  });
  // In the next frame: drawing changes the height, and that is watched too.
  new ResizeObserver(() => requestAnimationFrame(draw)).observe(timeline);
  draw();
}
