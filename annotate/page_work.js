"use strict";
// What a person does to the clips, kept in the browser, and as a Label Studio export: no page here.
const Work = (given) => {
  const PAUSE = 60000; // ms without a key: who is away does not work
  const SHORTEST = 0.05;
  const { tags, kinds, flags, clips } = given;
  const idOf = (clip) => clip.task.data.external_id;
  const predicted = (clip) => clip.task.predictions[0].result;
  const itemOf = (result, tag) => result.find((one) => one.from_name === tag);

  // ---- how a clip was, and what became of it

  const original = (result) => {
    const label = itemOf(result, tags.kind), text = itemOf(result, tags.text);
    const { start, end, labels } = label.value;
    // A text box makes every kind of line end this one.
    const lines = text ? [text.value.text].flat().join("\n").replace(/\r\n?/g, "\n") : "";
    return { kind: kinds.findIndex((one) => one.caption === labels[0]), text: lines, start, end };
  };
  const originals = clips.map((clip) => original(predicted(clip)));
  const fresh = (i) => ({
    ...originals[i], decided: "", said: -1, spent: 0, lead: 0, created: "", updated: "", saved: true,
  });
  const state = { name: "", at: 0, works: clips.map((_, i) => fresh(i)) };
  const lengthOf = (i) => itemOf(predicted(clips[i]), tags.kind).original_length;

  const same = (i) => {
    const work = state.works[i];
    return Object.keys(originals[i]).every((name) => work[name] === originals[i][name]);
  };

  // ---- kept in the browser

  // Once another window has gone on, what stands in this one is old and never replaces that.
  let old = false;
  const save = () => {
    if (old) return true;
    const touched = {};
    state.works.forEach((work, i) => {
      if (work.decided || work.spent || !same(i)) touched[idOf(clips[i])] = work;
    });
    try {
      const { name, at } = state;
      localStorage.setItem(given.key, JSON.stringify({ name, at, works: touched }));
      return true;
    } catch {
      return false; // full, forbidden, or a browser that keeps nothing for files
    }
  };
  const load = () => {
    let found = null;
    try {
      found = JSON.parse(localStorage.getItem(given.key));
    } catch {
      // As above: `save` tells.
    }
    if (!found) return;
    state.name = found.name;
    state.at = Math.min(Math.max(0, found.at | 0), clips.length - 1);
    state.works = clips.map((clip, i) => ({ ...fresh(i), ...found.works[idOf(clip)] }));
  };

  // ---- time

  let before = Date.now();
  const alive = (now) => {
    const gap = now - before;
    if (gap > 0 && gap <= PAUSE) state.works[state.at].spent += gap / 1000;
    before = now;
  };

  // ---- what a person does

  // What changes after it was decided has to be decided again: nothing unseen goes out.
  const change = (i, changed) => {
    const work = state.works[i], was = work.decided;
    Object.assign(work, changed, { decided: "", said: -1 });
    return Boolean(was);
  };
  const round = (time) => Math.round(time * 1000) / 1000;
  const move = (i, edge, time) => {
    const { start, end } = state.works[i], to = round(time), length = lengthOf(i);
    const moved = edge === "start"
      ? Math.max(0, Math.min(to, round(end - SHORTEST)))
      : Math.min(length, Math.max(to, round(start + SHORTEST)));
    return change(i, { [edge]: moved });
  };
  const undo = (i) => change(i, originals[i]);

  // Where nothing is written there is nothing to accept, unless that is just what is meant.
  const lacksText = (i, said) => {
    const { kind, text } = state.works[i];
    const thrown = said >= 0 && flags[said].rejects;
    const worded = kinds[kind].sung && (kinds[kind].worded || originals[i].text);
    return Boolean(worded && !text.trim() && !thrown);
  };
  const decide = (i, decided, said = -1) => {
    const work = state.works[i], now = new Date().toISOString();
    Object.assign(work, {
      decided, said, lead: work.spent, created: work.created || now, updated: now, saved: false,
    });
  };
  const nextOpen = (i) => {
    const order = clips.map((_, n) => (i + 1 + n) % clips.length);
    return order.find((n) => !state.works[n].decided);
  };
  const counts = () => {
    const count = (test) => state.works.filter(test).length;
    return {
      total: clips.length,
      done: count((one) => one.decided),
      flagged: count((one) => one.decided === "flagged"),
      skipped: count((one) => one.decided === "skipped"),
      unsaved: count((one) => one.decided && !one.saved),
    };
  };

  // ---- out: a Label Studio export of what was decided

  const resultOf = (i) => {
    const { kind, text, start, end, said } = state.works[i];
    const label = itemOf(predicted(clips[i]), tags.kind);
    const { from_name: _, type: __, value: ___, ...shared } = label;
    const span = { ...label.value, start, end };
    delete span.labels;
    const item = (tag, type, value) =>
      ({ ...shared, from_name: tag, type, value: { ...span, ...value } });
    const result = [item(tags.kind, "labels", { labels: [kinds[kind].caption] })];
    if (text.trim()) result.push(item(tags.text, "textarea", { text: [text] }));
    if (said >= 0) result.push(item(tags.verdict, "choices", { choices: [flags[said].caption] }));
    return result;
  };
  const annotationOf = (i) => {
    const work = state.works[i];
    return {
      id: i + 1,
      completed_by: { email: state.name },
      created_at: work.created,
      updated_at: work.updated,
      lead_time: round(work.lead),
      was_cancelled: work.decided === "skipped",
      parent_prediction: i + 1,
      result: resultOf(i),
    };
  };
  const exported = () => clips.flatMap(({ task }, i) => (state.works[i].decided
    ? [{ id: i + 1, data: task.data, annotations: [annotationOf(i)] }]
    : []));
  const markSaved = () => state.works.forEach((work) => { work.saved = true; });

  // ---- and in again

  const takeOne = (task) => {
    const i = clips.findIndex((clip) => idOf(clip) === task?.data?.external_id);
    const told = task?.annotations?.[0];
    if (i < 0 || !told || !(told.updated_at > state.works[i].updated)) return false;
    const region = original(told.result), verdict = itemOf(told.result, tags.verdict);
    const said = flags.findIndex((one) => one.caption === verdict?.value.choices[0]);
    const times = [region.start, region.end, told.lead_time];
    if (region.kind < 0 || !times.every(Number.isFinite)) return false;
    const decided = told.was_cancelled ? "skipped" : said >= 0 ? "flagged" : "accepted";
    state.works[i] = {
      ...region, decided, said, spent: told.lead_time, lead: told.lead_time,
      created: told.created_at, updated: told.updated_at, saved: true,
    };
    return true;
  };
  // Gives how many clips were taken and left; or who else's they are; or that it is no export.
  const take = (written) => {
    let tasks = null;
    try {
      tasks = JSON.parse(written);
    } catch {
      // No JSON is no export.
    }
    const person = Array.isArray(tasks) && tasks[0]?.annotations?.[0]?.completed_by?.email;
    if (typeof person !== "string") return { bad: true };
    if (state.name && state.name !== person) return { other: person };
    state.name = person;
    let count = 0;
    for (const task of tasks) {
      try {
        count += takeOne(task);
      } catch {
        // What is not whole is left, and told as such.
      }
    }
    return { count, left: tasks.length - count };
  };

  load();
  return {
    state, lengthOf, same, save, alive, change, move, undo, lacksText, decide, nextOpen, counts,
    exported, markSaved, take, giveWay: () => { old = true; },
  };
};
