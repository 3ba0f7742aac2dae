// Ctrl + Enter (or Cmd + Enter) translates; fields run in the direction of what is written in them.
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.closest("#text")) {
    event.preventDefault();
    event.target.dispatchEvent(new Event("input", { bubbles: true }));
    setTimeout(() => document.querySelector("#translate")?.click(), 50);
  }
});
// The letters few keyboards have go into the field that was written in last; pressing them leaves the cursor there.
let written = null;
document.addEventListener("focusin", (event) => { if (event.target.matches("textarea, input[type=text]")) written = event.target; });
document.addEventListener("mousedown", (event) => { if (event.target.closest(".keys button")) event.preventDefault(); });
const put = (field, text) => { field.value = text; field.dispatchEvent(new Event("input", { bubbles: true })); };
document.addEventListener("click", async (event) => {
  const key = event.target.closest(".keys button");
  if (key) {
    const field = written?.isConnected ? written : document.querySelector("#text textarea");
    const [start, end] = [field.selectionStart, field.selectionEnd];
    put(field, field.value.slice(0, start) + key.textContent + field.value.slice(end));
    field.focus();
    field.setSelectionRange(start + key.textContent.length, start + key.textContent.length);
  }
  const copy = event.target.closest("button.copy");
  if (copy) {
    const field = document.createElement("textarea");  // the clipboard of navigator needs HTTPS
    field.value = copy.dataset.text;
    document.body.append(field);
    field.select();
    document.execCommand("copy");
    field.remove();
    copy.textContent = copy.dataset.done;
  }
});
document.addEventListener("change", async (event) => {
  const chosen = event.target.closest(".upload input");
  if (!chosen?.files.length) return;
  const text = (await chosen.files[0].text()).replace(/^\uFEFF/, "").replace(/\r\n?/g, "\n").trimEnd();
  const long = text.length > Number(chosen.dataset.limit);
  chosen.parentElement.querySelector("[role=status]").textContent = long ? chosen.dataset.long : "";
  if (!long) put(document.querySelector("#text textarea"), text);
});
new MutationObserver(() => {
  for (const field of document.querySelectorAll("textarea:not([dir=auto]), input[type=text]:not([dir=auto])")) field.dir = "auto";
  const said = document.querySelector("#chat .turns"); // it grows: the end is what is read
  if (said) said.scrollTop = said.scrollHeight;
  const lang = document.querySelector("header[lang]")?.lang;
  if (lang && document.documentElement.lang !== lang) document.documentElement.lang = lang;
}).observe(document, { childList: true, subtree: true });
