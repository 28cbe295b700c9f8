"use strict";
const VERSION = 1;
const study = JSON.parse(document.getElementById("study").textContent);
const KEPT = `drivederain-study-${study.study}`;
const at = (id) => document.getElementById(id);
const total = study.questions.length;

const hex = (bytes) => [...crypto.getRandomValues(new Uint8Array(bytes))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

const newVisit = () => ({ version: VERSION, study: study.study, rater: hex(4), seed: hex(16), started: new Date().toISOString(), place: 0, answers: {} });

// Kept answers of an earlier visit; browsers may refuse to keep any.
const storage = {
  read() {
    try {
      const kept = JSON.parse(localStorage.getItem(KEPT));
      const whole = kept && kept.version === VERSION && kept.study === study.study && /^[0-9a-f]{32}$/.test(kept.seed) && /^[0-9a-f]{8}$/.test(kept.rater);
      if (!whole || typeof kept.answers !== "object" || !Number.isInteger(kept.place) || kept.place < 0 || kept.place > total) return null;
      return kept;
    } catch { return null; }
  },
  write(visit) {
    try { localStorage.setItem(KEPT, JSON.stringify(visit)); return true; } catch { return false; }
  },
};

// sfc32, a generator of the PractRand suite by Chris Doty-Humphrey: the same seed gives the same order and sides.
const generator = (seed) => {
  let [a, b, c, d] = seed.match(/.{8}/g).map((word) => parseInt(word, 16) | 0);
  const next = () => {
    const t = (((a + b) | 0) + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + t) | 0;
    return (t >>> 0) / 2 ** 32;
  };
  for (let turn = 0; turn < 16; turn++) next();
  return next;
};

const arrange = (seed) => {
  const next = generator(seed);
  const order = study.questions.map((question) => {
    const [first, second] = question.sides;
    return next() < 0.5 ? { ...question, left: first, right: second } : { ...question, left: second, right: first };
  });
  for (let last = order.length - 1; last > 0; last--) {
    const other = Math.floor(next() * (last + 1));
    [order[last], order[other]] = [order[other], order[last]];
  }
  return order;
};

let visit = storage.read() || newVisit();
let order = arrange(visit.seed);
let since = 0;
let saved = true;
let kept = true;
let rainyInPlace = false;

const answered = () => Object.keys(visit.answers).length;

const show = (section) => {
  for (const id of ["intro", "question", "end"]) at(id).hidden = id !== section;
  at("progress").hidden = section === "intro";
  at("bar").value = answered();
  at("count").textContent = `${answered()} of ${total} answered`;
  at("rater").textContent = `· your code ${visit.rater}`;
  scrollTo(0, 0);
};

const draw = () => {
  const question = order[visit.place];
  at("rainy").src = study.pictures[question.rainy];
  for (const side of ["left", "right"]) {
    const figure = at(side);
    figure.querySelector("img").src = study.pictures[rainyInPlace ? question.rainy : question[side][1]];
    figure.querySelector(".instead").hidden = !rainyInPlace;
  }
  at("compare").setAttribute("aria-pressed", String(rainyInPlace));
};

const showIntro = () => {
  const done = answered();
  at("resumed").hidden = at("anew").hidden = !done;
  at("resumed").textContent = `${done} of ${total} questions were answered here before. You can go on.`;
  at("start").textContent = done ? "Go on" : "Start";
  show("intro");
};

const showQuestion = () => {
  if (visit.place >= total) { showEnd(); return; }
  const question = order[visit.place];
  const before = visit.answers[question.id];
  rainyInPlace = false;
  at("prompt").textContent = `Question ${visit.place + 1} of ${total}: which picture is better?`;
  draw();
  for (const side of ["left", "right"]) {
    const chosen = Boolean(before) && before.chosen === question[side][0];
    at(side).classList.toggle("chosen", chosen);
    at(`choose-${side}`).setAttribute("aria-pressed", String(chosen));
  }
  at("choose-none").setAttribute("aria-pressed", String(Boolean(before) && before.chosen === null));
  at("back").disabled = visit.place === 0;
  show("question");
  // The heading is read aloud, and Space belongs to the page again, not to the button that was pressed.
  at("prompt").focus({ preventScroll: true });
  since = performance.now();
};

const showEnd = () => {
  const open = total - answered();
  at("summary").textContent = open ? `${answered()} of ${total} questions are answered. ${open} are open; you can go back to them.` : `All ${total} questions are answered.`;
  at("text").value = answersText();
  at("told").textContent = "";
  show("end");
  at("thanks").focus({ preventScroll: true });
};

const choose = (side) => {
  const question = order[visit.place];
  const seconds = Math.round(performance.now() - since) / 1000;
  visit.answers[question.id] = { question: question.id, left: question.left[0], right: question.right[0], chosen: side ? question[side][0] : null, seconds };
  saved = false;
  goTo(visit.place + 1);
};

const goTo = (place) => {
  visit.place = Math.max(0, Math.min(total, place));
  kept = storage.write(visit);
  showQuestion();
};

const firstOpen = () => {
  const open = order.findIndex((question) => !visit.answers[question.id]);
  return open < 0 ? total - 1 : open;
};

const startAnew = () => {
  if (answered() && !confirm("Start anew? Save the answers first: they are forgotten here.")) return;
  visit = newVisit();
  order = arrange(visit.seed);
  saved = true;
  kept = storage.write(visit);
  showIntro();
};

const answersText = () => JSON.stringify({
  kind: "drivederain-study-answers", version: VERSION, study: visit.study, rater: visit.rater, seed: visit.seed,
  started: visit.started, saved: new Date().toISOString(),
  answers: order.map((question) => visit.answers[question.id]).filter(Boolean),
}, null, 1) + "\n";

const save = () => {
  const name = `answers-${visit.rater}.json`;
  const address = URL.createObjectURL(new Blob([answersText()], { type: "application/json" }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 60000);
  saved = true;
  at("told").textContent = `Saved as ${name}, where your browser keeps downloads.`;
};

const copy = async () => {
  at("text").select();
  let done = false;
  try { await navigator.clipboard.writeText(at("text").value); done = true; } catch { done = document.execCommand("copy"); }
  saved = saved || done;
  at("told").textContent = done ? "Copied." : "Copy the marked text with your browser’s menu.";
};

const compare = () => { rainyInPlace = !rainyInPlace; draw(); };

at("start").addEventListener("click", () => { if (answered()) goTo(visit.place); else goTo(0); });
at("anew").addEventListener("click", startAnew);
at("other").addEventListener("click", startAnew);
for (const side of ["left", "right"]) {
  at(side).addEventListener("click", () => choose(side));
  at(`choose-${side}`).addEventListener("click", () => choose(side));
}
at("choose-none").addEventListener("click", () => choose(null));
at("back").addEventListener("click", () => goTo(visit.place - 1));
at("compare").addEventListener("click", () => { compare(); at("prompt").focus({ preventScroll: true }); });
at("early").addEventListener("click", showEnd);
at("return").addEventListener("click", () => goTo(firstOpen()));
at("save").addEventListener("click", save);
at("copy").addEventListener("click", copy);

addEventListener("keydown", (event) => {
  if (at("question").hidden || event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
  const actions = {
    ArrowLeft: () => choose("left"), ArrowRight: () => choose("right"),
    ArrowDown: () => choose(null), 0: () => choose(null),
    Backspace: () => goTo(visit.place - 1), " ": compare,
  };
  const action = actions[event.key];
  // On a button that has the focus, Space presses it.
  if (!action || (event.key === " " && event.target.closest("button"))) return;
  event.preventDefault();
  if (!event.repeat) action();
});
addEventListener("beforeunload", (event) => { if (!saved && !kept) event.preventDefault(); });

at("no-script").hidden = true;
showIntro();
