// Light, dark, or as the system has it. Kept where the browser allows it, which not all do for files.
const theme = document.querySelector("#theme");
const kept = {
  get() { try { return localStorage.getItem("drivederain-theme") ?? ""; } catch { return ""; } },
  set(value) { try { localStorage.setItem("drivederain-theme", value); } catch { /* the choice holds for this page */ } },
};
const choose = (value) => {
  if (value) document.documentElement.dataset.theme = value;
  else delete document.documentElement.dataset.theme;
};
theme.hidden = false;
theme.querySelector("select").value = ["light", "dark"].includes(kept.get()) ? kept.get() : "";
choose(theme.querySelector("select").value);
theme.querySelector("select").addEventListener("change", (event) => {
  choose(event.target.value);
  kept.set(event.target.value);
});
