"use strict";
{
  const given = JSON.parse(document.getElementById("given").textContent);
  const work = Work(given);
  const { state } = work;
  const { words, clips, kinds, flags } = given;
  const NUDGE = 0.05, SLOW = 0.75;
  const $ = (id) => document.getElementById(id);
  const say = (word, told = {}) =>
    words[word].replace(/\{(\w+)\}/g, (whole, name) => (name in told ? told[name] : whole));
  const now = () => state.works[state.at];

  // ---- what is told

  const tell = (text) => { $("status").textContent = text; };
  const troubles = new Set();
  const trouble = (word, there = true) => {
    troubles[there ? "add" : "delete"](word);
    const told = [...troubles].map((one) => words[one]).join(". ");
    if ($("trouble").textContent !== told) $("trouble").textContent = told;
    $("trouble").hidden = !told;
  };
  const keep = () => trouble("not kept", !work.save());

  const decided = ({ decided: how, said }) =>
    say(how || "open", { why: said >= 0 ? flags[said].caption : "" });
  const marks = { accepted: "✓", flagged: "⚑", skipped: "–" };
  const optionOf = (i) => {
    const { decided: how, text, kind } = state.works[i];
    const first = text.split("\n")[0] || kinds[kind].caption;
    const short = first.length > 40 ? `${first.slice(0, 39)}…` : first;
    return `${marks[how] || "·"} ${i + 1}/${clips.length} ${short}`;
  };
  const count = () => {
    const counts = work.counts();
    $("progress").textContent = say("progress", counts);
    $("unsaved").textContent = counts.unsaved ? say("unsaved", { count: counts.unsaved }) : "";
    $("bar").max = counts.total;
    $("bar").value = counts.done;
    $("export").classList.toggle("main", counts.done === counts.total && counts.unsaved > 0);
  };

  // ---- how a clip looks

  const stand = () => {
    const { start, end } = now(), length = work.lengthOf(state.at);
    const at = (time) => `${100 * time / length}%`;
    $("start").style.left = $("stretch").style.left = at(start);
    $("end").style.left = at(end);
    $("stretch").style.width = at(end - start);
    for (const edge of ["start", "end"]) {
      const time = now()[edge].toFixed(2);
      $(`${edge}-time`).textContent = say("seconds", { s: time });
      $(edge).setAttribute("aria-valuemin", 0);
      $(edge).setAttribute("aria-valuemax", length);
      $(edge).setAttribute("aria-valuenow", time);
      $(edge).setAttribute("aria-valuetext", say("seconds", { s: time }));
    }
  };
  const status = () => {
    const one = now();
    $("decided").textContent = decided(one);
    $("decided").className = `decided ${one.decided}`;
    $("clips").options[state.at].textContent = optionOf(state.at);
    $("undo").disabled = work.same(state.at) && !one.decided;
    count();
  };
  const level = () => {
    const told = atob(clips[state.at].level), last = Math.max(1, told.length - 1);
    let path = "M0 100";
    for (let i = 0; i < told.length; i += 1) path += `L${i} ${100 - told.charCodeAt(i)}`;
    $("curve").setAttribute("viewBox", `0 0 ${last} 100`);
    $("level").setAttribute("d", `${path}L${last} 100Z`);
  };
  const fill = () => {
    const { kind, text } = now();
    // Setting it anew would move the cursor.
    if ($("text").value !== text) $("text").value = text;
    document.querySelectorAll("#kinds input").forEach((one, i) => { one.checked = i === kind; });
    stand();
    status();
  };
  const show = (at, play) => {
    state.at = at;
    const { title, about, score } = clips[at].task.data;
    $("title").textContent = title;
    $("about").textContent = about;
    $("sure").value = score;
    $("clips").selectedIndex = at;
    $("previous").disabled = at === 0;
    $("next").disabled = at === clips.length - 1;
    asking(false);
    level();
    fill();
    hear(play);
    keep();
  };

  // ---- sound: decoded only for the clip that is shown

  const sound = new Audio();
  sound.preload = "auto";
  // `from`: where to begin once it can be; `until`: where to stop.
  let address = "", from = null, until = 0;
  const hear = (begin) => {
    sound.pause();
    if (address) URL.revokeObjectURL(address);
    [address, from] = ["", null];
    $("head").hidden = true;
    if (begin) play(stretch());
    arrive(state.at);
  };
  // The page may be open before the sounds, which stand last in it, have all been read.
  const arrive = (at) => {
    if (at !== state.at || address) return;
    const held = $(`sound-${at}`);
    if (!held || !held.nextElementSibling) {
      requestAnimationFrame(() => arrive(at));
      return;
    }
    const bytes = Uint8Array.from(atob(held.textContent), (one) => one.charCodeAt(0));
    address = URL.createObjectURL(new Blob([bytes], { type: "audio/mpeg" }));
    sound.src = address;
    if (from !== null) go();
  };
  sound.addEventListener("loadedmetadata", () => {
    trouble("no sound", false);
    if (from !== null) sound.currentTime = from;
    from = null;
  });
  sound.addEventListener("error", () => trouble("no sound"));

  const stretch = () => [now().start, now().end];
  const play = ([start, end]) => {
    until = end;
    if (address && sound.readyState > 0) sound.currentTime = start;
    else from = start;
    // Asked for while a finger is still there: later some browsers refuse.
    if (address) go();
  };
  const go = () => {
    sound.playbackRate = $("slow").getAttribute("aria-pressed") === "true" ? SLOW : 1;
    // A browser may want a touch before it plays anything: the person tries again.
    sound.play().catch(() => looks());
  };
  const looks = () => {
    $("play-word").textContent = words[sound.paused ? "play" : "pause"];
  };
  const follow = () => {
    if (from !== null) return;
    if (!sound.paused && sound.currentTime >= until) sound.pause();
    $("head").hidden = false;
    $("head").style.left = `${100 * Math.min(1, sound.currentTime / work.lengthOf(state.at))}%`;
  };
  const tick = () => {
    follow();
    if (!sound.paused) requestAnimationFrame(tick);
  };
  sound.addEventListener("play", () => { looks(); tick(); });
  sound.addEventListener("pause", looks);
  // Frames rest while the window is hidden.
  sound.addEventListener("timeupdate", follow);

  const toggle = () => {
    const { start, end } = now(), at = sound.currentTime;
    if (!sound.paused) sound.pause();
    else if (from === null && at > start && at < until - 0.02 && until <= end) go();
    else play(stretch());
  };
  const slower = () => {
    const slow = $("slow").getAttribute("aria-pressed") !== "true";
    $("slow").setAttribute("aria-pressed", slow);
    sound.playbackRate = slow ? SLOW : 1;
  };

  // ---- what a person does

  const changed = (withdrawn) => {
    fill();
    keep();
    if (withdrawn) tell(words.withdrawn);
  };
  const move = (edge, time) => changed(work.move(state.at, edge, time));
  const nudge = (edge, by) => move(edge, now()[edge] + by);
  const choose = (kind) => changed(work.change(state.at, { kind }));
  const turn = (by) => {
    const to = state.at + by;
    if (to < 0 || to >= clips.length) return;
    show(to, true);
    tell(`${say("clip", { n: to + 1, total: clips.length })}: ${decided(now())}`);
  };
  const decide = (how, said = -1) => {
    if (how !== "skipped" && work.lacksText(state.at, said)) {
      asking(false);
      tell(words["no text"]);
      return;
    }
    work.decide(state.at, how, said);
    const what = decided(now());
    status();
    const next = work.nextOpen(state.at);
    if (next === undefined) {
      asking(false);
      keep();
      sound.pause();
      tell(`${what}. ${words["all decided"]}`);
      return;
    }
    show(next, true);
    tell(`${what}. ${say("clip", { n: next + 1, total: clips.length })}`);
  };
  const asking = (open) => {
    $("flags").hidden = !open;
    $("flag").setAttribute("aria-expanded", open);
    if (open) $("flags").querySelector("button").focus();
  };

  // ---- files

  const plain = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "")
    .replace(/[^\w@.-]+/g, "-").replace(/^[-.]+|-+$/g, "");
  const write = () => {
    const name = state.name.trim();
    if (!work.counts().done) return tell(words["nothing decided"]);
    if (!name) {
      tell(words.who);
      return $("name").focus();
    }
    const tasks = work.exported();
    const day = new Date().toISOString().slice(0, 16).replace(/[T:]/g, "-");
    const file = [given.name, name, day].map(plain).filter(Boolean).join("_") + ".json";
    const data = new Blob([JSON.stringify(tasks, null, 1)], { type: "application/json" });
    const link = document.createElement("a");
    link.href = URL.createObjectURL(data);
    link.download = file;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
    work.markSaved();
    keep();
    count();
    return tell(say("exported", { count: tasks.length, file }));
  };
  const read = async (file) => {
    const taken = work.take(await file.text());
    if (taken.bad) return tell(say("not an export", { file: file.name }));
    if (taken.other) return tell(say("of another", { ...taken, file: file.name, name: state.name }));
    $("name").value = state.name;
    list();
    show(work.nextOpen(state.at - 1) ?? state.at, false);
    return tell(say("imported", { ...taken, file: file.name }));
  };

  // ---- keys, buttons, fingers

  const acts = {
    play: toggle, repeat: () => play(stretch()),
    whole: () => play([0, work.lengthOf(state.at)]), slow: slower,
    accept: () => decide("accepted"), flag: () => asking($("flags").hidden),
    skip: () => decide("skipped"), undo: () => changed(work.undo(state.at)),
    previous: () => turn(-1), next: () => turn(1), cancel: () => asking(false),
    export: write, import: () => $("file").click(), help: () => $("helping").showModal(),
    "start-earlier": () => nudge("start", -NUDGE), "start-later": () => nudge("start", NUDGE),
    "end-earlier": () => nudge("end", -NUDGE), "end-later": () => nudge("end", NUDGE),
  };
  const keys = {
    " ": "play", r: "repeat", w: "whole", v: "slow", a: "accept", f: "flag", s: "skip", z: "undo",
    p: "previous", n: "next", x: "export", "?": "help", Escape: "cancel",
    h: "start-earlier", j: "start-later", k: "end-earlier", l: "end-later",
  };
  for (const [id, act] of Object.entries(acts)) {
    $(id).addEventListener("click", (event) => {
      // The second of a double click would decide a clip that nobody has heard.
      if (event.detail > 1 && ["accept", "skip"].includes(id)) return;
      // After a finger or a mouse, the keys are the page's again, and not the button's.
      if (event.detail) $(id).blur();
      act();
    });
  }
  $("flags").addEventListener("click", (event) => {
    const chosen = event.target.closest("[data-flag]");
    if (chosen) decide("flagged", Number(chosen.dataset.flag));
  });

  // A key that is held down never decides one clip after the other; it may move and scroll.
  const held = ({ repeat, key }) => repeat && !/^([hjkl]|Arrow.*|Page.*|Tab)$/i.test(key);
  const inText = (event) => {
    const accepts = event.key === "Enter" && (event.ctrlKey || event.metaKey);
    const plays = event.key === " " && event.ctrlKey;
    if (event.key === "Escape") $("text").blur();
    else if (accepts && !event.repeat) decide("accepted");
    else if (plays && !event.repeat) toggle();
    else if (!accepts && !plays) return;
    event.preventDefault();
  };
  const onNumber = (nth) => {
    if (!$("flags").hidden) {
      if (nth < flags.length) decide("flagged", nth);
    } else if (nth < kinds.length) choose(nth);
  };
  const onKey = (event) => {
    const key = event.key.length > 1 ? event.key : event.key.toLowerCase();
    const own = event.target.closest("input[type='text'], select");
    if ($("helping").open || own || event.isComposing) return;
    if (event.target === $("text")) {
      inText(event);
      return;
    }
    const accepts = key === "Enter" && (event.ctrlKey || event.metaKey);
    if (!accepts && (event.ctrlKey || event.metaKey || event.altKey)) return;
    // A button that has the focus is pressed by this key.
    if (key === " " && event.target.closest("button") && !event.repeat) return;
    if (held(event)) {
      event.preventDefault();
      return;
    }
    if (accepts) decide("accepted");
    else if (/^[1-9]$/.test(key)) onNumber(Number(key) - 1);
    else if (key === "e") $("text").focus();
    else if (key in keys) acts[keys[key]]();
    else return;
    event.preventDefault();
  };
  document.addEventListener("keydown", onKey);
  for (const kind of ["keydown", "pointerdown"]) {
    document.addEventListener(kind, () => work.alive(Date.now()), true);
  }

  $("text").addEventListener("input", () => {
    const withdrawn = work.change(state.at, { text: $("text").value });
    status();
    keep();
    if (withdrawn) tell(words.withdrawn);
  });
  $("kinds").addEventListener("change", (event) => choose(Number(event.target.value)));
  $("clips").addEventListener("change", () => {
    show($("clips").selectedIndex, true);
    $("clips").blur();
  });
  $("name").addEventListener("input", () => {
    state.name = $("name").value.trim();
    keep();
  });
  $("name").addEventListener("keydown", (event) => {
    if (["Enter", "Escape"].includes(event.key)) $("name").blur();
  });
  $("file").addEventListener("change", () => {
    if ($("file").files.length) read($("file").files[0]);
    $("file").value = "";
  });

  const timeOf = (event) => {
    const box = $("sound").getBoundingClientRect();
    return (event.clientX - box.left) / box.width * work.lengthOf(state.at);
  };
  for (const edge of ["start", "end"]) {
    const grip = $(edge);
    let offset = null;
    grip.addEventListener("pointerdown", (event) => {
      grip.setPointerCapture(event.pointerId);
      offset = now()[edge] - timeOf(event);
    });
    grip.addEventListener("pointermove", (event) => {
      if (offset !== null) move(edge, timeOf(event) + offset);
    });
    for (const kind of ["pointerup", "pointercancel"]) {
      grip.addEventListener(kind, () => { offset = null; });
    }
    grip.addEventListener("keydown", (event) => {
      const by = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 }[event.key];
      if (!by) return;
      nudge(edge, by * NUDGE);
      event.preventDefault();
    });
  }
  $("sound").addEventListener("click", (event) => {
    if (event.target.closest(".grip")) return;
    const at = timeOf(event), { end } = now();
    play([at, at < end ? end : work.lengthOf(state.at)]);
  });

  // ---- coming and going

  const list = () => $("clips").replaceChildren(...clips.map((_, i) => new Option(optionOf(i))));
  window.addEventListener("beforeunload", (event) => {
    if (!work.counts().unsaved) return;
    event.preventDefault();
    event.returnValue = true; // what older browsers go by
  });
  window.addEventListener("pagehide", keep);
  window.addEventListener("storage", (event) => {
    if (event.key !== given.key) return;
    work.giveWay();
    trouble("two windows");
  });
  $("name").value = state.name;
  list();
  show(state.at, false);
  document.body.dataset.ready = Math.round(performance.now());
}
